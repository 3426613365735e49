import type { Db } from "../store/connect.ts";
import { textsThatFit } from "../store/expressions.ts";

/** Task ids of each expression; then all are asked anew. */
const KEPT = 10_000;

/** Which task ids fit which expressions, each pair asked of Postgres once. */
export interface TaskMatches {
  /** Learns what is not yet known. @returns The expressions that cannot be held against task ids. */
  learn(expressions: ReadonlySet<string>, taskIds: readonly string[]): Promise<string[]>;
  /** What has been learned. */
  fits(expression: string, taskId: string): boolean;
  /** Forgets the other expressions. */
  keep(expressions: ReadonlySet<string>): void;
}

export function createTaskMatches({ db }: { db: Db }): TaskMatches {
  const known = new Map<string, Map<string, boolean>>();
  return {
    async learn(expressions, taskIds) {
      const failed: string[] = [];
      for (const expression of expressions) {
        const answers = known.get(expression) ?? new Map<string, boolean>();
        known.set(expression, answers);
        if (answers.size > KEPT) answers.clear();
        const unknown = [...new Set(taskIds)].filter((taskId) => !answers.has(taskId));
        if (unknown.length === 0) continue;
        const fitting = await textsThatFit(db, expression, unknown);
        if (typeof fitting === "string") failed.push(expression);
        else for (const taskId of unknown) answers.set(taskId, fitting.has(taskId));
      }
      return failed;
    },
    fits: (expression, taskId) => known.get(expression)?.get(taskId) ?? false,
    keep(expressions) {
      for (const expression of [...known.keys()]) {
        if (!expressions.has(expression)) known.delete(expression);
      }
    },
  };
}
