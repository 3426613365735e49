import type { Db } from "../store/connect.ts";
import { holdLeases, type Lease } from "../store/hosts.ts";
import { insertLogSegments, type SizedSegment } from "../store/log-chunks.ts";
import { notifyOfExecutions } from "../store/notify.ts";

/** Parts of the logs of executions on one host. */
export interface LogWrite {
  lease: Lease;
  segments: readonly SizedSegment[];
}

/**
 * Stores parts of logs on any hosts, of each whose lease is still held.
 *
 * @returns Those leases.
 */
export async function storeLogs(db: Db, writes: readonly LogWrite[]): Promise<Set<Lease>> {
  return await db.transaction(async (tx) => {
    const held = await holdLeases(
      tx,
      writes.map(({ lease }) => lease),
    );
    const segments = writes
      .filter(({ lease }) => held.has(lease))
      .flatMap(({ segments }) => segments);
    await insertLogSegments(tx, segments);
    const ids = new Set(segments.map(({ executionId }) => executionId));
    await notifyOfExecutions(tx, "log", [...ids]);
    return held;
  });
}
