import { setTimeout as delay } from "node:timers/promises";
import type { Db } from "../store/connect.ts";
import { findExecutionById } from "../store/executions.ts";
import type { ExecutionRow } from "../store/schema.ts";
import type { Hints } from "./hints.ts";

/** Nobody tells of a pull or a start. */
const LOOK_EVERY_MS = 1_000;

/** Looks at executions for any number of those who show their state; those of one share each look. */
export interface ExecutionWatch {
  /** The row, a while from now or as soon as the execution has ended. */
  next(executionId: string): Promise<ExecutionRow | null>;
}

export function createExecutionWatch({ db, hints }: { db: Db; hints: Hints }): ExecutionWatch {
  const looks = new Map<string, Promise<ExecutionRow | null>>();

  const look = async (executionId: string) => {
    const enough = new AbortController();
    const hint = hints.next(["ended"], executionId, enough.signal);
    await Promise.race([hint, delay(LOOK_EVERY_MS, undefined, { signal: enough.signal })]);
    enough.abort();
    looks.delete(executionId);
    return await findExecutionById(db, executionId);
  };

  return {
    async next(executionId) {
      const under = looks.get(executionId) ?? look(executionId);
      looks.set(executionId, under);
      return await under;
    },
  };
}
