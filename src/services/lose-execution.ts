import { and, eq, inArray, isNull, lt, sql } from "drizzle-orm";
import { endWithoutProcess } from "../core/end.ts";
import { MAX_PLACEMENTS } from "../core/farm.ts";
import type { End } from "../core/status.ts";
import { enqueue } from "../queue/enqueue.ts";
import type { Db, Tx } from "../store/connect.ts";
import { WAITING_AGAIN } from "../store/executions.ts";
import { holdLease, type Lease } from "../store/hosts.ts";
import { insertLogSegments, type LogSegment } from "../store/log-chunks.ts";
import { recordDecisions } from "../store/reconciliations.ts";
import { type ExecutionRow, executions } from "../store/schema.ts";
import { writeEnd } from "./finish-execution.ts";

export interface Loss {
  execution: Pick<ExecutionRow, "id" | "containerId">;
  /** What became of its host or container, in words. */
  reason: string;
  /** What is known of its process, where that ended with the host. */
  end?: End;
  restOfLog: readonly LogSegment[];
}

/**
 * Writes, with a receipt, that an execution's host or container is gone: it fails, or goes back to
 * the waiting line where its job says so. What it has logged until then is kept.
 *
 * @returns What became of it; `null` when it is not on the host any more.
 * @throws {LeaseLost} If another node owns the host by now.
 */
export async function loseExecution(
  db: Db,
  lease: Lease,
  { execution, reason, end, restOfLog }: Loss,
): Promise<"failed" | "rerun" | null> {
  return await db.transaction(async (tx) => {
    await holdLease(tx, lease);
    await insertLogSegments(tx, restOfLog);
    const isRerun = await rerun(tx, lease.host, execution.id, reason);
    const lost = end ?? endWithoutProcess("host_lost", reason);
    if (!isRerun && (await writeEnd(tx, lease.host, execution.id, lost)) === null) return null;
    const receipt = {
      decision: "lost" as const,
      executionId: execution.id,
      containerId: execution.containerId,
      reason: isRerun ? `${reason}; it is run again, as its job says` : reason,
    };
    await recordDecisions(tx, lease, [receipt]);
    return isRerun ? "rerun" : "failed";
  });
}

async function rerun(tx: Tx, host: string, executionId: string, reason: string): Promise<boolean> {
  const [row] = await tx
    .update(executions)
    .set({
      ...WAITING_AGAIN,
      startedAt: null,
      deadlineAt: null,
      // It was begun in time.
      expiresAt: null,
      lastFault: reason,
      logHasGap: true,
      avoidsHost: host,
      availableAt: sql`now()`,
    })
    .where(
      and(
        eq(executions.id, executionId),
        eq(executions.host, host),
        inArray(executions.status, ["pulling", "running"]),
        eq(executions.onHostLost, "rerun"),
        lt(executions.placements, MAX_PLACEMENTS),
        isNull(executions.stopRequestedAt),
      ),
    )
    .returning({ pool: executions.pool });
  if (row === undefined) return false;
  await enqueue(tx, "dispatch", row);
  return true;
}
