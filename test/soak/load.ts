import fc from "fast-check";
import type { FailureCause } from "../../src/core/status.ts";
import type { Work } from "./work.ts";

/** How an execution may end: `done`, or by its cause. */
type EndName = FailureCause | "done";

/** Executions at once, over all engines. */
export const MAX_RUNNING = 12;

/** A job of the load: what is sent, when, and what may come of it. */
export interface Job {
  kind: string;
  /** Its task has no other job, so that all of its executions can be found by it. */
  task: string;
  atMs: number;
  /** Payloads sent at once; above 1 in bulk. */
  count: number;
  work: Work;
  /** Of the payload, beyond what the work needs. */
  keys: Record<string, unknown>;
  /** Sent to each node at the same time, under an idempotency key. */
  isSentTwice: boolean;
  /** How long after the answer the client stops it; `null` when it does not. */
  stopAfterMs: number | null;
  /** A host that is lost explains `host_lost` everywhere. */
  ends: readonly EndName[];
  retries: number;
  cron: boolean;
}

type Draft = Omit<Job, "task" | "atMs">;

const QUICK: Work = {
  lines: 3,
  burst: 10,
  pauseSeconds: 0,
  padBytes: 0,
  exitCode: 0,
  onTerm: "end",
};
const PLAIN = {
  count: 1,
  work: QUICK,
  keys: {},
  isSentTwice: false,
  stopAfterMs: null,
  ends: ["done"],
  retries: 0,
  cron: false,
} as const;

/** Writes a line each second. */
const lasting = (seconds: number): Work => ({
  ...QUICK,
  lines: seconds,
  burst: 1,
  pauseSeconds: 1,
});
const draft = (kind: string, keys: Partial<Draft>): Draft => ({ ...PLAIN, ...keys, kind });
const between = (min: number, max: number) => fc.integer({ min, max });

/** A year is enough for whatever stops it: its cron never ends it by itself. */
const cronKeys = fc.record({
  cron: between(3, 7).map((seconds) => `*/${seconds} * * * * *`),
  overlap: fc.constantFrom("allow", "skip", "queue"),
  catchUp: fc.constantFrom("none", "last", "all"),
});

/** Each kind with how often it comes, among all. */
const KINDS: [number, fc.Arbitrary<Draft>][] = [
  [14, fc.constant(draft("quick", {}))],
  [6, fc.constant(draft("fails", { work: { ...QUICK, exitCode: 3 }, ends: ["exit_code"] }))],
  [14, between(1, 30).map((seconds) => draft("sleeper", { work: lasting(seconds) }))],
  [
    10,
    between(2_000, 6_000).map((lines) =>
      draft("chatty", { work: { ...QUICK, lines, burst: 500, pauseSeconds: 1 } }),
    ),
  ],
  [
    6,
    between(3, 8).map((lines) =>
      draft("wide", { work: { ...QUICK, lines, burst: 1, pauseSeconds: 1, padBytes: 40_960 } }),
    ),
  ],
  [
    5,
    between(2, 4).map((timeout) =>
      draft("stubborn", {
        work: { ...lasting(120), onTerm: "ignore" },
        keys: { timeout },
        ends: ["timeout"],
      }),
    ),
  ],
  [
    8,
    between(500, 9_000).map((stopAfterMs) =>
      draft("stopped", { work: lasting(120), stopAfterMs, ends: ["stopped"] }),
    ),
  ],
  [
    4,
    fc.constant(
      draft("retried", {
        work: { ...QUICK, exitCode: 3 },
        keys: { retries: 2, backoff: { minMs: 300, factor: 1, jitter: false } },
        ends: ["exit_code"],
        retries: 2,
      }),
    ),
  ],
  [6, between(2, 15).map((seconds) => draft("later", { keys: { startIn: `${seconds}s` } }))],
  [
    3,
    fc
      .record({ keys: cronKeys, stopAfterMs: between(12_000, 25_000), seconds: between(1, 5) })
      .map(({ keys, stopAfterMs, seconds }) =>
        draft("cron", {
          work: lasting(seconds),
          keys,
          stopAfterMs,
          ends: ["done", "stopped"],
          cron: true,
        }),
      ),
  ],
  [
    8,
    fc.record({ limit: between(1, 2), seconds: between(1, 4) }).map(({ limit, seconds }) =>
      draft("keyed", {
        work: lasting(seconds),
        keys: { concurrencyKey: `at-most-${limit}`, concurrencyLimit: limit },
      }),
    ),
  ],
  [
    8,
    between(3, 15).map((seconds) =>
      draft("rerun", { work: lasting(seconds), keys: { onHostLost: "rerun" } }),
    ),
  ],
  [5, fc.constant(draft("twice", { isSentTwice: true }))],
  [3, between(3, 6).map((count) => draft("bulk", { count }))],
];

/** About how many executions come of a job. */
const executionsOf = ({ count, retries, cron }: Job) => (cron ? 4 : count * (1 + retries));

/**
 * The jobs of a run, in the order in which they are sent: all of it follows from the seed.
 *
 * @param executions About how many executions come of them.
 */
export function planLoad(seed: number, executions: number, durationMs: number): Job[] {
  const kind = fc.oneof(...KINDS.map(([weight, arbitrary]) => ({ weight, arbitrary })));
  const drawn = fc.record({ draft: kind, at: fc.double({ min: 0, max: 1, noNaN: true }) });
  const jobs: Job[] = [];
  let planned = 0;
  for (const { draft, at } of fc.sample(fc.noBias(drawn), { seed, numRuns: executions })) {
    if (planned >= executions) break;
    const task = `${draft.kind}-${jobs.length + 1}`;
    const job = { ...draft, task, atMs: Math.round(at * durationMs) };
    jobs.push(job);
    planned += executionsOf(job);
  }
  return jobs.sort((left, right) => left.atMs - right.atMs);
}
