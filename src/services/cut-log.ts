import { sql } from "drizzle-orm";
import type { Db } from "../store/connect.ts";
import { holdLease, type Lease } from "../store/hosts.ts";

/** How far a log may outgrow its limit before its middle is left out, in bytes. */
function slackOf(maxBytes: number): number {
  return Math.max(1024 * 1024, Math.floor(maxBytes / 8));
}

/**
 * Leaves out the middle of a log that has outgrown its limit: whole chunks, so that its first and its
 * last half of the limit are there at least. The newest chunk of each stream stays, wherever it is:
 * what is said last on one stream is worth more than what it was flooded with on the other. Done
 * again, it leaves out what has come to lie in the middle since.
 *
 * @param maxBytes Of stdout and stderr together; a pull's lines neither count nor go.
 * @returns How much may be stored until it is worth doing again, in bytes.
 * @throws {LeaseLost} If another node owns the host by now.
 */
export async function cutLog(
  db: Db,
  lease: Lease,
  executionId: string,
  maxBytes: number,
): Promise<number> {
  const limit = maxBytes + slackOf(maxBytes);
  return await db.transaction(async (tx) => {
    await holdLease(tx, lease);
    const [execution] = await tx.execute<{ day: string }>(sql`
      SELECT log_day::text AS day FROM fastlane.executions
      WHERE id = ${executionId} AND host = ${lease.host} AND status IN ('pulling', 'running')
      FOR NO KEY UPDATE`);
    if (execution === undefined) return limit;
    const ofLog = sql`day = ${execution.day} AND execution_id = ${executionId}`;
    const [stored] = await tx.execute<{ bytes: string }>(sql`
      SELECT coalesce(sum(stdout_bytes::bigint + stderr_bytes), 0) AS bytes
      FROM fastlane.log_chunks WHERE ${ofLog}`);
    const bytes = Number(stored?.bytes ?? 0);
    if (bytes <= limit) return limit - bytes;
    const [cut] = await tx.execute<{ bytes: string }>(sql`
      WITH chunks AS (
        SELECT seq, stdout_bytes, stderr_bytes, stdout_bytes::bigint + stderr_bytes AS bytes
        FROM fastlane.log_chunks WHERE ${ofLog} AND stdout_bytes + stderr_bytes > 0
      ),
      placed AS (
        SELECT seq, sum(bytes) OVER (ORDER BY seq) - bytes AS before,
          sum(bytes) OVER () - sum(bytes) OVER (ORDER BY seq) AS behind
        FROM chunks
      ),
      cut AS (
        DELETE FROM fastlane.log_chunks USING placed
        WHERE ${ofLog} AND log_chunks.seq = placed.seq
          AND before >= ${maxBytes / 2} AND behind >= ${maxBytes / 2}
          AND log_chunks.seq NOT IN (
            SELECT max(seq) FROM chunks WHERE stdout_bytes > 0
            HAVING max(seq) IS NOT NULL
            UNION SELECT max(seq) FROM chunks WHERE stderr_bytes > 0
            HAVING max(seq) IS NOT NULL
          )
        RETURNING log_chunks.seq, frames, stdout_bytes::bigint + stderr_bytes AS bytes, lines
      ),
      summed AS (
        SELECT min(seq) - 1 AS after, max(seq + frames - 1) AS "to", sum(bytes) AS bytes,
          coalesce(sum(lines), 0) AS lines
        FROM cut HAVING count(*) > 0
      )
      UPDATE fastlane.executions
      SET log_cut_after = least(log_cut_after, summed.after),
        log_cut_to = greatest(log_cut_to, summed.to),
        log_cut_bytes = coalesce(log_cut_bytes, 0) + summed.bytes,
        log_cut_lines = coalesce(log_cut_lines, 0) + summed.lines
      FROM summed WHERE id = ${executionId}
      RETURNING summed.bytes`);
    return limit - (bytes - Number(cut?.bytes ?? 0));
  });
}
