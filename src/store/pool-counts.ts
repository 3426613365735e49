import { sql } from "drizzle-orm";
import type { Db } from "./connect.ts";

export interface PoolCount {
  /** Executions that are pulling or running. */
  running: number;
  /** Executions that are enqueued. */
  waiting: number;
}

/** What has not ended, by pool; a pool without any is not among them. */
export async function poolCounts(db: Db): Promise<Map<string, PoolCount>> {
  const rows = await db.execute<{ pool: string } & Record<keyof PoolCount, number>>(sql`
    SELECT pool, sum(running)::int AS running, sum(waiting)::int AS waiting
    FROM (
      SELECT pool, count(*) AS running, 0 AS waiting FROM fastlane.executions
      WHERE status IN ('pulling', 'running') GROUP BY pool
      UNION ALL
      SELECT pool, 0, count(*) FROM fastlane.executions WHERE status = 'enqueued' GROUP BY pool
    ) AS open
    GROUP BY pool`);
  return new Map(rows.map(({ pool, running, waiting }) => [pool, { running, waiting }]));
}
