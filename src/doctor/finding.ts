/** `warning`: it works, and may not for long or not as it should. `problem`: something does not work. */
export type Level = "ok" | "warning" | "problem";

/** One thing that was looked at. */
export interface Finding {
  /** What it is about, such as `host tcp://10.0.0.7:2375`. */
  subject: string;
  level: Level;
  /** A sentence without a secret. */
  message: string;
  /** What to do about it; there is always something to do about a warning or a problem. */
  advice: string | null;
}

/** Takes what a check has found, in the order in which it is told. */
export interface Tell {
  ok(message: string, advice?: string): void;
  warning(message: string, advice: string): void;
  problem(message: string, advice: string): void;
}

/** What is looked at on its own: nothing that another one waits for keeps it from its end. */
export interface Check {
  subject: string;
  /** How long it may take, in milliseconds; then it is given up, and that is a problem. */
  withinMs: number;
  /** @param signal It was given up. What it has begun it still takes away. */
  run(tell: Tell, signal: AbortSignal): Promise<void>;
}

/** Whether what was found is to end a command as a failure. */
export function isWell(findings: readonly Finding[], options: { strict: boolean }): boolean {
  const worst: readonly Level[] = options.strict ? ["warning", "problem"] : ["problem"];
  return findings.every(({ level }) => !worst.includes(level));
}
