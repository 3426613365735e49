import type { Sent } from "./client.ts";
import type { Evidence, Told } from "./evidence.ts";
import type { Job } from "./load.ts";
import { ENGINE_KILLED } from "./nemesis.ts";
import { type Run, runsOf } from "./runs.ts";

/** The evidence, and what follows from it for each execution and each job. */
export interface Facts extends Evidence {
  runs: Run[];
  runsOf(executionId: string): Run[];
  /** `undefined` for a task that nobody sent. */
  jobOf(task: string): Job | undefined;
  toldOf(sent: Sent): Told[];
  /** Whether an engine was killed while one of the execution's containers may have run on it. */
  lostItsEngine(told: Told): boolean;
}

/** Something that an invariant forbids. */
export interface Finding {
  words: string;
  /** Whose reports and events help to find the bug. */
  executionId?: string;
}

/** Something that holds whatever is broken in between: it finds nothing. */
export interface Invariant {
  name: string;
  find(facts: Facts): Finding[];
}

export function factsOf(evidence: Evidence): Facts {
  const runs = runsOf(evidence);
  const jobs = new Map(evidence.sent.map(({ job }) => [job.task, job]));
  const kills = evidence.faults.filter(({ what }) => what === ENGINE_KILLED);
  const byExecution = Map.groupBy(runs, ({ executionId }) => executionId);
  const runsOfExecution = (executionId: string) => byExecution.get(executionId) ?? [];
  return {
    ...evidence,
    runs,
    runsOf: runsOfExecution,
    jobOf: (task) => jobs.get(task),
    toldOf: ({ job }) => evidence.told.filter(({ task }) => task === job.task),
    lostItsEngine: ({ id, engine, createdAt, finishedAt }) => {
      const engines = new Set([engine, ...runsOfExecution(id).map((run) => run.engine)]);
      return kills.some(
        ({ target, beganAt, endedAt }) =>
          engines.has(target) && endedAt >= createdAt && beganAt <= (finishedAt ?? Infinity),
      );
    },
  };
}

const ENDED = new Set(["done", "failed", "timedout", "stopped", "expired"]);

export const hasEnded = ({ status }: Told) => ENDED.has(status);

/** How it ended, as the load names it. */
export const endOf = ({ status, failureCause }: Told) => failureCause ?? status;
