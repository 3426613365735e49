import { and, eq, inArray, sql } from "drizzle-orm";
import type { End } from "../core/status.ts";
import { enqueue } from "../queue/enqueue.ts";
import type { Db } from "../store/connect.ts";
import { holdLease, type Lease } from "../store/hosts.ts";
import { insertLogSegments, type LogSegment } from "../store/log-chunks.ts";
import { executions } from "../store/schema.ts";

export interface Finish {
  executionId: string;
  end: End;
  /** What of the log is not stored yet: it is there before the end is. */
  restOfLog: readonly LogSegment[];
}

/**
 * Writes the end of an execution, once, with the rest of its log and what follows from it.
 *
 * @returns Whether it was this call that ended it.
 * @throws {LeaseLost} If another node owns the host by now.
 */
export async function finishExecution(
  db: Db,
  lease: Lease,
  { executionId, end, restOfLog }: Finish,
): Promise<boolean> {
  return await db.transaction(async (tx) => {
    await holdLease(tx, lease);
    await insertLogSegments(tx, restOfLog);
    const [ended] = await tx
      .update(executions)
      .set({
        status: end.status,
        failureCause: end.failureCause,
        exitCode: end.exitCode,
        message: end.message,
        startedAt: end.startedAt ?? sql`started_at`,
        finishedAt: end.finishedAt ?? sql`now()`,
      })
      .where(
        and(
          eq(executions.id, executionId),
          eq(executions.host, lease.host),
          inArray(executions.status, ["pulling", "running"]),
        ),
      )
      .returning({ pool: executions.pool });
    if (ended === undefined) return false;
    await enqueue(tx, "dispatch", { pool: ended.pool });
    return true;
  });
}
