import { eq, type SQL, sql } from "drizzle-orm";
import type { KeptLogs, LogState } from "../core/log-state.ts";
import type { Db, Tx } from "./connect.ts";
import { isOpen } from "./executions.ts";
import { isStatementTimeout } from "./faults.ts";
import { type ExecutionRow, logDays } from "./schema.ts";

/** What a container has written to stdout and stderr; a last line without its end counts. */
export interface LogSize {
  /** `null` where they were not counted, as by earlier versions. */
  bytes: number | null;
  lines: number | null;
}

type Measured = Pick<ExecutionRow, "id" | "logDay" | "status" | "logBytes" | "logLines">;

/** The size at the end, or that of what there is so far. */
export async function logSizeOf(db: Db, row: Measured): Promise<LogSize> {
  if (!isOpen(row.status)) return { bytes: row.logBytes, lines: row.logLines };
  const [size] = await db.execute<{ bytes: string; lines: string | null }>(
    sizesOf(row.logDay, [row.id]),
  );
  return {
    bytes: Number(size?.bytes ?? 0),
    lines: size?.lines === null ? null : Number(size?.lines ?? 0),
  };
}

/** A log of more frames than this may have so many chunks that they cannot be counted in time. */
const SURELY_COUNTED_FRAMES = 1_000_000;
/** An end has to be written, whatever its log is like; the server lets no statement take 6 s. */
const COUNT_WITHIN_MS = 3_000;

/**
 * Writes, in the transaction that ends executions, how large their logs are. One that would take too
 * long to be counted is not.
 */
export async function recordLogSizes(
  tx: Tx,
  ended: readonly Pick<ExecutionRow, "id" | "logDay">[],
): Promise<void> {
  for (const day of new Set(ended.map(({ logDay }) => logDay))) {
    const ids = ended.filter(({ logDay }) => logDay === day).map(({ id }) => id);
    const large = await logsBeyond(tx, day, ids, SURELY_COUNTED_FRAMES);
    await writeSizes(
      tx,
      day,
      ids.filter((id) => !large.includes(id)),
    );
    for (const id of large) {
      await tx
        .transaction(async (attempt) => {
          await attempt.execute(
            sql`SELECT set_config('statement_timeout', ${`${COUNT_WITHIN_MS}`}, true)`,
          );
          await writeSizes(attempt, day, [id]);
        })
        .catch((error: unknown) => {
          if (!isStatementTimeout(error)) throw error;
        });
    }
  }
}

async function logsBeyond(
  tx: Tx,
  day: string,
  ids: readonly string[],
  frames: number,
): Promise<string[]> {
  const rows = await tx.execute<{ id: string }>(sql`
    SELECT id FROM jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb) AS ended (id)
    WHERE EXISTS (
      SELECT FROM fastlane.log_chunks
      WHERE day = ${day} AND execution_id = id::uuid AND seq > ${frames}
    )`);
  return rows.map(({ id }) => id);
}

async function writeSizes(tx: Tx, day: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.execute(sql`
    UPDATE fastlane.executions SET log_bytes = sizes.bytes, log_lines = sizes.lines
    FROM (${sizesOf(day, ids)}) AS sizes WHERE executions.id = sizes.id`);
}

/** A row for each execution of a day, also for those without a log. */
function sizesOf(day: string, ids: readonly string[]): SQL {
  return sql`
    SELECT executions.id, coalesce(bytes, 0) + coalesce(log_cut_bytes, 0) AS bytes,
      CASE WHEN bytes IS NULL THEN 0 WHEN is_counted THEN lines END
        + coalesce(log_cut_lines, 0) AS lines
    FROM fastlane.executions LEFT JOIN (
      SELECT execution_id, sum(stdout_bytes::bigint + stderr_bytes) AS bytes,
        bool_and(lines IS NOT NULL) AS is_counted,
        sum(lines) + ${unendedLines("stdout", 1)} + ${unendedLines("stderr", 2)} AS lines
      FROM fastlane.log_chunks
      WHERE day = ${day} AND execution_id IN (SELECT value::uuid
        FROM jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb))
      GROUP BY execution_id
    ) AS counted ON execution_id = executions.id
    WHERE executions.id IN (SELECT value::uuid
      FROM jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb))`;
}

/** 1 where the newest chunk that has something of the stream does not end its line, else 0. */
function unendedLines(stream: "stdout" | "stderr", bit: 1 | 2): SQL {
  const bytes = sql.identifier(`${stream}_bytes`);
  return sql`coalesce(
    max(seq * 2 + ((unended & ${bit}) / ${bit})) FILTER (WHERE ${bytes} > 0) % 2, 0)`;
}

/** `null` until it has ended. */
export function logStateOf(
  row: Pick<ExecutionRow, "status" | "logHasGap" | "logCutAfter">,
): LogState | null {
  if (isOpen(row.status)) return null;
  if (row.logHasGap) return "gap";
  return row.logCutAfter === null ? "complete" : "truncated";
}

/** Whose logs there still are of a day. */
export async function keptLogsOf(db: Db, day: string): Promise<KeptLogs> {
  const [row] = await db.select({ kept: logDays.kept }).from(logDays).where(eq(logDays.day, day));
  return row?.kept ?? "all";
}
