import { and, eq, inArray, sql } from "drizzle-orm";
import type { End } from "../core/status.ts";
import type { Db, Tx } from "../store/connect.ts";
import { holdLease, type Lease } from "../store/hosts.ts";
import { insertLogSegments, type LogSegment } from "../store/log-chunks.ts";
import { executions } from "../store/schema.ts";
import { ENDED, type Ended, followEnds } from "./follow-end.ts";

export interface Finish {
  executionId: string;
  end: End;
  /** What of the log is not stored yet: it is there before the end is. */
  restOfLog: readonly LogSegment[];
}

/**
 * Writes the end of an execution, once, with the rest of its log and what follows from it. One that
 * was to be stopped ends as stopped, however its process took it.
 *
 * @returns How it ended, if it was this call that ended it.
 * @throws {LeaseLost} If another node owns the host by now.
 */
export async function finishExecution(
  db: Db,
  lease: Lease,
  { executionId, end, restOfLog }: Finish,
): Promise<Ended | null> {
  return await db.transaction(async (tx) => {
    await holdLease(tx, lease);
    await insertLogSegments(tx, restOfLog);
    return await writeEnd(tx, lease.host, executionId, end);
  });
}

/** The same inside a transaction that holds the lease of the host. */
export async function writeEnd(
  tx: Tx,
  host: string,
  executionId: string,
  end: End,
): Promise<Ended | null> {
  const unlessStopped = (value: string | null) =>
    sql`CASE WHEN stop_requested_at IS NULL THEN ${value}::text ELSE 'stopped' END`;
  const finishedAt =
    end.finishedAt === null ? sql`now()` : sql`${end.finishedAt.toISOString()}::timestamptz`;
  const [ended] = await tx
    .update(executions)
    .set({
      status: unlessStopped(end.status),
      failureCause: unlessStopped(end.failureCause),
      exitCode: end.exitCode,
      message: end.message,
      // One that was lost before and run again keeps the gap of its first try.
      logHasGap: sql`log_has_gap OR ${end.logHasGap}`,
      // The engine's clock may be behind ours: no end is before its start.
      startedAt: end.startedAt ?? sql`least(started_at, ${finishedAt})`,
      finishedAt,
    })
    .where(
      and(
        eq(executions.id, executionId),
        eq(executions.host, host),
        inArray(executions.status, ["pulling", "running"]),
      ),
    )
    .returning(ENDED);
  if (ended === undefined) return null;
  await followEnds(tx, [ended]);
  return ended;
}
