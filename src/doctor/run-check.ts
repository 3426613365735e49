import { messageOf } from "../core/errors.ts";
import type { Check, Finding, Level, Tell } from "./finding.ts";

/** A check under way. */
export interface RunningCheck {
  /** What it has found by its end, or by its deadline when that comes first. */
  findings: Promise<Finding[]>;
  /** Settles when nothing of it goes on: what it began on a host is taken away by then. */
  settled: Promise<void>;
}

/** Begins a check. @param outer Gives it up before its deadline. */
export function runCheck(check: Check, outer: AbortSignal): RunningCheck {
  const { subject, withinMs } = check;
  const found: Finding[] = [];
  const add = (level: Level) => (message: string, advice?: string) => {
    found.push({ subject, level, message, advice: advice ?? null });
  };
  const tell: Tell = { ok: add("ok"), warning: add("warning"), problem: add("problem") };
  const deadline = AbortSignal.timeout(withinMs);
  const signal = AbortSignal.any([deadline, outer]);
  const run = async () => {
    try {
      await check.run(tell, signal);
    } catch (error) {
      if (signal.aborted) return;
      tell.problem(
        `it could not be looked at: ${messageOf(error)}`,
        "try again; if it stays so, this is a fault of fastlane's doctor: please report it",
      );
    }
  };
  const settled = run();
  const givenUp = Promise.withResolvers<void>();
  if (signal.aborted) givenUp.resolve();
  signal.addEventListener("abort", () => givenUp.resolve(), { once: true });
  const findings = Promise.race([settled, givenUp.promise]).then(() => {
    // A copy: what it still says belongs to nobody.
    const told = [...found];
    if (!signal.aborted) return told;
    const message = deadline.aborted
      ? `it was not done within ${withinMs / 1_000} s`
      : "it was given up";
    const advice = "see whether it is overloaded or cut off, and ask again";
    return [...told, { subject, level: "problem" as const, message, advice }];
  });
  return { findings, settled };
}
