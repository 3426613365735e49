import { type SQL, sql } from "drizzle-orm";
import type { Db, Tx } from "../store/connect.ts";
import { holdLease, type Lease } from "../store/hosts.ts";
import { isOfLog } from "../store/read-log.ts";

/** What one statement leaves out: a log of single lines has millions, and no statement may last. */
const CHUNKS_AT_ONCE = 50_000;
const BYTES = sql`(stdout_bytes::bigint + stderr_bytes)`;

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
  const ofLog = await isOfLog(db, executionId);
  const [stored] = await db.execute<{ bytes: string }>(sql`
    SELECT coalesce(sum(${BYTES}), 0) AS bytes FROM fastlane.log_chunks WHERE ${ofLog}`);
  let bytes = Number(stored?.bytes ?? 0);
  if (bytes <= limit) return limit - bytes;
  const middle = await middleOf(db, ofLog, maxBytes / 2);
  for (let cut = -1; cut !== 0; bytes -= cut) {
    cut = await db.transaction(async (tx) => {
      await holdLease(tx, lease);
      return await cutSome(tx, lease.host, executionId, sql`${ofLog} AND ${middle}`);
    });
  }
  return limit - bytes;
}

/** The condition that picks the chunks which have at least so many bytes on either side. */
async function middleOf(db: Db, ofLog: SQL, bytesAround: number): Promise<SQL> {
  const [found] = await db.execute<{
    first: string | null;
    last: string | null;
    newestOut: string;
    newestErr: string;
  }>(sql`
    SELECT (
        SELECT seq FROM (
          SELECT seq, sum(${BYTES}) OVER (ORDER BY seq) - ${BYTES} AS before
          FROM fastlane.log_chunks WHERE ${ofLog}
        ) AS chunks WHERE before >= ${bytesAround} ORDER BY seq LIMIT 1
      ) AS first, (
        SELECT seq FROM (
          SELECT seq, sum(${BYTES}) OVER (ORDER BY seq DESC) - ${BYTES} AS behind
          FROM fastlane.log_chunks WHERE ${ofLog}
        ) AS chunks WHERE behind >= ${bytesAround} ORDER BY seq DESC LIMIT 1
      ) AS last,
      coalesce((SELECT max(seq) FROM fastlane.log_chunks
        WHERE ${ofLog} AND stdout_bytes > 0), 0) AS "newestOut",
      coalesce((SELECT max(seq) FROM fastlane.log_chunks
        WHERE ${ofLog} AND stderr_bytes > 0), 0) AS "newestErr"`);
  if (found === undefined) return sql`false`;
  const { first, last, newestOut, newestErr } = found;
  return sql`seq BETWEEN ${first}::bigint AND ${last}::bigint AND ${BYTES} > 0
    AND seq NOT IN (${newestOut}, ${newestErr})`;
}

/** @returns How many bytes that was; 0 when there is nothing more to do, or the execution has ended. */
async function cutSome(tx: Tx, host: string, executionId: string, condition: SQL): Promise<number> {
  const [execution] = await tx.execute(sql`
    SELECT 1 AS one FROM fastlane.executions
    WHERE id = ${executionId} AND host = ${host} AND status IN ('pulling', 'running')
    FOR NO KEY UPDATE`);
  if (execution === undefined) return 0;
  const [cut] = await tx.execute<{ bytes: string }>(sql`
    WITH cut AS (
      DELETE FROM fastlane.log_chunks WHERE ${condition} AND seq <= (
        SELECT max(seq) FROM (
          SELECT seq FROM fastlane.log_chunks WHERE ${condition} ORDER BY seq LIMIT ${CHUNKS_AT_ONCE}
        ) AS next
      )
      RETURNING seq, frames, ${BYTES} AS bytes, lines
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
  return Number(cut?.bytes ?? 0);
}
