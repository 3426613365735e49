import type { Told } from "./evidence.ts";
import { endOf, type Facts, type Finding, type Invariant } from "./facts.ts";
import { judgeLog, type LogVerdict } from "./log-check.ts";
import { outputOf } from "./work.ts";

const STREAMS = ["stdout", "stderr"] as const;

interface JudgedStream extends LogVerdict {
  stream: (typeof STREAMS)[number];
}

/** The streams of an execution whose work is known, each held against what its last run must have written. */
function judge(facts: Facts, each: Told): JudgedStream[] {
  const job = facts.jobOf(each.task);
  const runs = facts.runsOf(each.id);
  const last = runs.at(-1);
  if (job === undefined) return [];
  const isWhole = last?.end?.exitCode === job.work.exitCode;
  // A line is counted before it is written: of the last one it is not known.
  const atLeast = Math.max(0, (last?.end?.lines ?? 0) - 1);
  return STREAMS.map((stream) => {
    const expected = outputOf(job.work, stream);
    // What earlier runs wrote stands before the last one's first line.
    const firstLine = expected.slice(0, expected.indexOf("\n") + 1);
    const begin = runs.length > 1 ? Math.max(0, each[stream].lastIndexOf(firstLine)) : 0;
    const stored = each[stream].slice(begin);
    return { stream, ...judgeLog(stored, expected, isWhole ? null : atLeast) };
  });
}

/** Whether fastlane says itself that the log may not be whole. */
const isMarked = (each: Told) => endOf(each) === "host_lost" || /\blog\b/i.test(each.words);

function findInLogs(
  facts: Facts,
  wrong: (each: Told, verdict: JudgedStream) => string | null,
): Finding[] {
  return facts.told.flatMap((each) =>
    judge(facts, each).flatMap((verdict) => {
      const words = wrong(each, verdict);
      if (words === null) return [];
      return [{ executionId: each.id, words: `${each.task}, ${verdict.stream}: ${words}` }];
    }),
  );
}

export const LOG_INVARIANTS: Invariant[] = [
  {
    name: "logs with missing bytes, and not marked",
    find: (facts) =>
      findInLogs(facts, (each, { missing }) =>
        missing === 0 || isMarked(each) ? null : `${missing} bytes at least`,
      ),
  },
  {
    name: "logs with bytes twice, or where they do not belong",
    find: (facts) => findInLogs(facts, (_, { disorder }) => disorder),
  },
];
