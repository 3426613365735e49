import type { Db } from "../store/connect.ts";
import { holdLease, type Lease } from "../store/hosts.ts";
import { insertLogSegments, type LogSegment } from "../store/log-chunks.ts";
import { notifyOfExecutions } from "../store/notify.ts";

/**
 * Stores parts of the logs of executions on one host.
 *
 * @throws {LeaseLost} If another node owns the host by now; nothing was stored.
 */
export async function appendLog(
  db: Db,
  lease: Lease,
  segments: readonly LogSegment[],
): Promise<void> {
  await db.transaction(async (tx) => {
    await holdLease(tx, lease);
    await insertLogSegments(tx, segments);
    const ids = new Set(segments.map(({ executionId }) => executionId));
    await notifyOfExecutions(tx, "log", [...ids]);
  });
}
