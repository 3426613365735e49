import { type SQL, sql } from "drizzle-orm";
import type { Amount } from "../core/pruned.ts";
import type { Db, Tx } from "./connect.ts";

/*
 * What of the rows is kept no longer, as conditions: who removes and who only counts must mean the
 * same by it.
 */

/** Before this moment, so many days ago. */
export const daysAgo = (days: number): SQL => sql`(now() - make_interval(days => ${days}::int))`;

/** A schedule that will fire. */
export const isArmed = (jobId: SQL) =>
  sql`EXISTS (SELECT FROM fastlane.schedules WHERE schedules.job_id = ${jobId} AND next_at IS NOT NULL)`;

/**
 * Of an execution, as `old`: its end is longer ago than it is kept. The last one of a job that will
 * run by itself stays, and so does that of one that was changed since.
 */
export const isOldExecution = (cutoff: SQL) => sql`
  old.created_at < ${cutoff} AND old.finished_at < ${cutoff} AND NOT (
    (${isArmed(sql`old.job_id`)} OR EXISTS (
      SELECT FROM fastlane.jobs WHERE jobs.id = old.job_id AND last_modified_at >= ${cutoff}
    )) AND NOT EXISTS (
      SELECT FROM fastlane.executions AS later
      WHERE later.job_id = old.job_id AND (
        later.created_at > old.created_at
        OR (later.created_at = old.created_at AND later.id < old.id)
      )
    )
  )`;

/** Of a schedule, as `ended`: it has come to its end without an execution, no tick of it was run. */
export const isEndedInVain = (cutoff: SQL) => sql`
  ended.next_at IS NULL AND ended.created_at < ${cutoff}
  AND NOT EXISTS (SELECT FROM fastlane.executions WHERE executions.job_id = ended.job_id)
  AND NOT EXISTS (SELECT FROM fastlane.ticks WHERE ticks.job_id = ended.job_id
    AND decided_at >= ${cutoff})`;

/** Of a tick, besides that its execution must be gone. */
export const isOldTick = (cutoff: SQL) => sql`ticks.at < ${cutoff} AND decided_at < ${cutoff}`;

export const isOldAct = (auditDays: number) => sql`at < ${daysAgo(auditDays)}`;

/** What deliveries take, each with its tries, as `deliveries`. */
export const BYTES_OF_DELIVERY = sql`pg_column_size(deliveries.*) + coalesce((
    SELECT sum(pg_column_size(attempts.*)) FROM fastlane.delivery_attempts AS attempts
    WHERE attempts.delivery_id = deliveries.id
  ), 0)`;

/** Sums up rows of one column, `bytes`. */
export async function amountOf(db: Db | Tx, rows: SQL): Promise<Amount> {
  const [row] = await db.execute<{ count: number; bytes: string }>(sql`
    SELECT count(*)::int AS count, coalesce(sum(bytes), 0) AS bytes FROM (${rows}) AS counted`);
  return { count: row?.count ?? 0, bytes: Number(row?.bytes ?? 0) };
}

/** The same of a statement that removes them. */
export async function amountRemoved(db: Db | Tx, removal: SQL): Promise<Amount> {
  const [row] = await db.execute<{ count: number; bytes: string }>(sql`
    WITH removed AS (${removal})
    SELECT count(*)::int AS count, coalesce(sum(bytes), 0) AS bytes FROM removed`);
  return { count: row?.count ?? 0, bytes: Number(row?.bytes ?? 0) };
}

export function listOf(values: readonly string[], type: "uuid" | "text"): SQL {
  return sql`SELECT value::${sql.raw(type)}
    FROM jsonb_array_elements_text(${JSON.stringify(values)}::jsonb)`;
}
