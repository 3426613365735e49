import { sql } from "drizzle-orm";
import type { Db } from "./connect.ts";

/** Beyond this age samples say little about the growth of today. */
const GROWTH_DAYS = 7;
const SAMPLES_KEPT_DAYS = 400;

export interface StoreSize {
  /** The whole database. */
  bytes: number;
  logsBytes: number;
  /** The rows of executions, with their indexes. */
  executionsBytes: number;
  /** A day, over the last week; `null` until there is a sample that is about a day old. */
  growthBytesPerDay: number | null;
  /** `YYYY-MM-DD`, of logs that are kept; `null` when there are none yet. */
  oldestLogDay: string | null;
}

const SIZES = sql`
  pg_database_size(current_database()) AS bytes,
  (SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class
    WHERE relnamespace = 'fastlane'::regnamespace AND relkind = 'r'
      AND relname LIKE 'log\\_chunks%') AS logs,
  pg_total_relation_size('fastlane.executions') AS executions`;

/** How large the store is. It looks at each of its files: some milliseconds, and more with each year. */
export async function storeSize(db: Db): Promise<StoreSize> {
  const [row] = await db.execute<{
    bytes: string;
    logs: string;
    executions: string;
    growth: number | null;
    oldest: string | null;
  }>(sql`
    SELECT sizes.*, (
        SELECT (sizes.bytes - old.bytes) / (extract(epoch FROM now() - at) / 86400)
        FROM fastlane.store_sizes AS old
        WHERE at BETWEEN now() - make_interval(days => ${GROWTH_DAYS}::int)
          AND now() - interval '20 hours'
        ORDER BY at LIMIT 1
      )::float8 AS growth,
      (SELECT min(day)::text FROM fastlane.log_days WHERE kept <> 'none'
        AND EXISTS (SELECT FROM fastlane.executions WHERE log_day = day)) AS oldest
    FROM (SELECT ${SIZES}) AS sizes`);
  return {
    bytes: Number(row?.bytes ?? 0),
    logsBytes: Number(row?.logs ?? 0),
    executionsBytes: Number(row?.executions ?? 0),
    growthBytesPerDay: row?.growth == null ? null : Math.round(row.growth),
    oldestLogDay: row?.oldest ?? null,
  };
}

/** Keeps the size of today, the first that is asked for. */
export async function sampleSize(db: Db): Promise<void> {
  await db.execute(sql`
    INSERT INTO fastlane.store_sizes (day, bytes, logs_bytes, executions_bytes)
    SELECT (now() AT TIME ZONE 'UTC')::date, ${SIZES}
    WHERE NOT EXISTS (
      SELECT FROM fastlane.store_sizes WHERE day = (now() AT TIME ZONE 'UTC')::date
    )
    ON CONFLICT DO NOTHING`);
  await db.execute(sql`
    DELETE FROM fastlane.store_sizes
    WHERE at < now() - make_interval(days => ${SAMPLES_KEPT_DAYS}::int)`);
}
