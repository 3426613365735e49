import { setTimeout as delay } from "node:timers/promises";

/** What a container does, step by step. */
export type Step =
  | { do: "print"; stream: "stdout" | "stderr"; text: string }
  | { do: "sleep"; ms: number }
  | { do: "exit"; code: number };

/**
 * The steps of a command: `true`, `false`, `sleep 5`, `exit 3`, `echo words`, `printf words`,
 * `chatter COUNT EVERY` (that many numbered lines, `EVERY` apart, such as `chatter 100 50ms`), and
 * `sh -c` with any of these, between semicolons, each with `>&2` at its end or not.
 *
 * @returns `null` when the image has no such program.
 */
export function scriptOf(words: readonly string[]): Iterable<Step> | null {
  const [program, option, line] = words;
  if (program !== "sh" || option !== "-c" || line === undefined) return command(words);
  const commands = line.split(";").map((part) => command(part.trim().split(/\s+/)));
  return commands.every((steps) => steps !== null) ? chain(commands) : null;
}

function* chain(all: readonly (Iterable<Step> | null)[]): Generator<Step> {
  for (const steps of all) if (steps !== null) yield* steps;
}

function command(words: readonly string[]): Iterable<Step> | null {
  const stream = words.at(-1) === ">&2" ? "stderr" : "stdout";
  const [program, ...rest] = stream === "stderr" ? words.slice(0, -1) : words;
  const text = rest.join(" ").replace(/^(["'])(.*)\1$/, "$2");
  switch (program) {
    case "true":
      return [];
    case "false":
      return [{ do: "exit", code: 1 }];
    case "exit":
      return [{ do: "exit", code: Number(rest[0] ?? 0) }];
    case "sleep":
      return [{ do: "sleep", ms: millisecondsOf(rest[0]) }];
    case "echo":
      return [{ do: "print", stream, text: `${text}\n` }];
    case "printf":
      return [{ do: "print", stream, text: text.replaceAll("\\n", "\n") }];
    case "chatter":
      return chatter(Number(rest[0]), millisecondsOf(rest[1]), stream);
    default:
      return null;
  }
}

function* chatter(count: number, everyMs: number, stream: "stdout" | "stderr"): Generator<Step> {
  for (let line = 1; line <= count; line++) {
    yield { do: "print", stream, text: `line ${line}\n` };
    yield { do: "sleep", ms: everyMs };
  }
}

/** `5` and `5s` are seconds, as for sleep(1). */
function millisecondsOf(text = ""): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s)?$/.exec(text) ?? [];
  if (number === undefined) throw new Error(`Cannot read "${text}": it must be like 5, 0.5s, 50ms`);
  return Number(number) * (unit === "ms" ? 1 : 1_000);
}

/** Plays the steps. @returns The exit code; `null` when the signal ended it first. */
export async function play(
  steps: Iterable<Step>,
  print: (stream: "stdout" | "stderr", text: string) => void,
  signal: AbortSignal,
): Promise<number | null> {
  for (const step of steps) {
    if (step.do === "exit") return step.code;
    if (step.do === "print") print(step.stream, step.text);
    else await delay(step.ms, undefined, { signal }).catch(() => {});
    if (signal.aborted) return null;
  }
  return 0;
}
