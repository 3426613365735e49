import { sql } from "drizzle-orm";
import type { Db } from "../store/connect.ts";

/** Gives the messages that a node held when it died to the others; the queue itself waits 4 hours. */
export async function unlockMessagesOf(db: Db, queuePoolIds: readonly string[]): Promise<void> {
  if (queuePoolIds.length === 0) return;
  const ids = sql.join(
    queuePoolIds.map((id) => sql`${id}`),
    sql`, `,
  );
  await db.execute(sql`SELECT graphile_worker.force_unlock_workers(ARRAY[${ids}]::text[])`);
}

/** Removes messages that failed for good: what they asked for is in the rows, and swept from there. */
export async function dropDeadMessages(db: Db): Promise<void> {
  await db.execute(sql`
    DELETE FROM graphile_worker._private_jobs
    WHERE attempts >= max_attempts AND locked_at IS NULL`);
}

export async function queueLength(db: Db): Promise<{ waiting: number; failed: number }> {
  const [row] = await db.execute<{ waiting: number; failed: number }>(sql`
    SELECT count(*) FILTER (WHERE attempts < max_attempts)::int AS waiting,
           count(*) FILTER (WHERE attempts >= max_attempts)::int AS failed
    FROM graphile_worker.jobs`);
  return row ?? { waiting: 0, failed: 0 };
}

/** Which of the messages are in the queue. */
export async function messagesThere(db: Db, ids: readonly number[]): Promise<Set<number>> {
  const rows = await db.execute<{ id: string }>(sql`
    SELECT id FROM graphile_worker._private_jobs
    WHERE id IN (SELECT value::bigint FROM jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb))`);
  return new Set(rows.map(({ id }) => Number(id)));
}
