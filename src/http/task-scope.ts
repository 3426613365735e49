import { LRUCache } from "lru-cache";
import type { Db } from "../store/connect.ts";
import { textsThatFit } from "../store/expressions.ts";

/** Pairs of an expression and a task id of which the answer is kept. */
const KEPT = 10_000;

/** @returns Whether a regular expression fits a task id, as Postgres has it in lists too. */
export function createTaskScope(db: Db): (expression: string, taskId: string) => Promise<boolean> {
  const known = new LRUCache<string, boolean>({ max: KEPT });
  return async (expression, taskId) => {
    const key = JSON.stringify([expression, taskId]);
    const before = known.get(key);
    if (before !== undefined) return before;
    const fitting = await textsThatFit(db, expression, [taskId]);
    // One that takes too long lets nobody in.
    const fits = typeof fitting !== "string" && fitting.has(taskId);
    if (typeof fitting !== "string") known.set(key, fits);
    return fits;
  };
}
