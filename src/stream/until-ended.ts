import type { Db } from "../store/connect.ts";
import { findExecutionById, isOpen } from "../store/executions.ts";
import type { Hints } from "./hints.ts";

/** Resolves with the execution when it has ended, or as it is when the signal says so. */
export async function untilEnded(
  { db, hints }: { db: Db; hints: Hints },
  executionId: string,
  signal: AbortSignal,
): ReturnType<typeof findExecutionById> {
  for (;;) {
    const hint = hints.next(["ended"], executionId, signal);
    const execution = await findExecutionById(db, executionId);
    if (execution === null || !isOpen(execution.status) || signal.aborted) return execution;
    await hint;
  }
}
