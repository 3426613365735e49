import { setTimeout as delay } from "node:timers/promises";
import type { Db } from "../store/connect.ts";
import { findExecutionById, lastExecutions } from "../store/executions.ts";
import type { ExecutionRow } from "../store/schema.ts";
import type { Hints } from "./hints.ts";

/** Nobody tells of a pull or a start, nor of a job's first execution. */
const LOOK_EVERY_MS = 1_000;

/** Looks at executions for any number of those who wait; those who wait for the same share each look. */
export interface ExecutionWatch {
  /** The row, a while from now or as soon as the execution has ended. */
  next(executionId: string): Promise<ExecutionRow | null>;
  /** The last execution of a job, a while from now; `null` where it has none yet. */
  nextOfJob(jobId: string): Promise<ExecutionRow | null>;
}

export function createExecutionWatch({ db, hints }: { db: Db; hints: Hints }): ExecutionWatch {
  const looks = new Map<string, Promise<ExecutionRow | null>>();
  const shared = (key: string, look: () => Promise<ExecutionRow | null>) => {
    const under = looks.get(key) ?? look();
    looks.set(key, under);
    return under;
  };

  const look = async (executionId: string) => {
    const enough = new AbortController();
    const hint = hints.next(["ended"], executionId, enough.signal);
    await Promise.race([hint, delay(LOOK_EVERY_MS, undefined, { signal: enough.signal })]);
    enough.abort();
    looks.delete(executionId);
    return await findExecutionById(db, executionId);
  };
  const lookAtJob = async (jobId: string) => {
    await delay(LOOK_EVERY_MS);
    looks.delete(keyOfJob(jobId));
    const [last] = await lastExecutions(db, jobId, 1);
    return last ?? null;
  };

  return {
    next: (executionId) => shared(executionId, () => look(executionId)),
    nextOfJob: (jobId) => shared(keyOfJob(jobId), () => lookAtJob(jobId)),
  };
}

/** A client may give a job the id that an execution has. */
const keyOfJob = (jobId: string) => `job ${jobId}`;
