import { eq, inArray, type SQL, sql } from "drizzle-orm";
import type { Db, Tx } from "./connect.ts";
import { executions } from "./schema.ts";

/** How many days ahead there are partitions; the nodes look to it each hour. */
const DAYS_AHEAD = 7;
// "log days" as 8 bytes: whoever changes the partitions does it alone.
const PARTITIONS_LOCK = 0x6c6f672064617973n.toString();

/**
 * The partition in which an execution's log is, `YYYY-MM-DD`. Give it to a query as a value: with a
 * subselect in its place Postgres plans for all partitions each time, which takes ten times as long.
 *
 * @returns `null` when there is no such execution.
 */
export async function logDayOf(db: Db | Tx, executionId: string): Promise<string | null> {
  return (await logDaysOf(db, [executionId])).get(executionId) ?? null;
}

export async function logDaysOf(
  db: Db | Tx,
  executionIds: readonly string[],
): Promise<Map<string, string>> {
  const rows = await db
    .select({ id: executions.id, day: executions.logDay })
    .from(executions)
    .where(
      executionIds.length === 1
        ? eq(executions.id, executionIds[0] ?? "")
        : inArray(executions.id, [...executionIds]),
    );
  return new Map(rows.map(({ id, day }) => [id, day]));
}

/**
 * Makes sure of the partitions of today and the next days, and of those for which executions were
 * made while no node has looked to it. Several nodes may do it at once.
 */
export async function addLogDays(db: Db): Promise<void> {
  await db.transaction(async (tx) => {
    await lockPartitions(tx);
    const missing = await tx.execute<{ day: string }>(sql`
      SELECT day::text AS day FROM (
        SELECT (now() AT TIME ZONE 'UTC')::date + ahead AS day
        FROM generate_series(0, ${DAYS_AHEAD}::int) AS ahead
        UNION SELECT log_day FROM fastlane.executions WHERE log_day > (
          SELECT max(day) FROM fastlane.log_days
        )
      ) AS days
      WHERE to_regclass('fastlane.log_chunks_' || to_char(day, 'YYYYMMDD')) IS NULL
      ORDER BY day`);
    for (const { day } of missing) {
      await createPartition(tx, partitionOf(day));
      await attachPartition(tx, partitionOf(day), day);
      await tx.execute(sql`
        INSERT INTO fastlane.log_days (day) VALUES (${day}) ON CONFLICT DO NOTHING`);
    }
  });
}

export async function lockPartitions(tx: Tx): Promise<void> {
  await tx.execute(sql`SELECT pg_advisory_xact_lock(${PARTITIONS_LOCK}::bigint)`);
}

/** The name of a day's partition. */
export function partitionOf(day: string): string {
  return `log_chunks_${day.replaceAll("-", "")}`;
}

/** Attached afterwards, which holds up nobody; made as a partition it would hold up all who read. */
export async function createPartition(tx: Tx, name: string): Promise<void> {
  await tx.execute(sql`
    CREATE TABLE fastlane.${sql.identifier(name)} (LIKE fastlane.log_chunks INCLUDING ALL)`);
}

export async function attachPartition(tx: Tx, name: string, day: string): Promise<void> {
  const next = new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10);
  await tx.execute(sql`
    ALTER TABLE fastlane.log_chunks ATTACH PARTITION fastlane.${sql.identifier(name)}
    FOR VALUES FROM (${literalOf(day)}) TO (${literalOf(next)})`);
}

/** A day where no parameter can stand: in the bounds and the checks of a partition. */
export function literalOf(day: string): SQL {
  if (!/^\d{4}-\d\d-\d\d$/.test(day)) throw new RangeError(`Not a day: "${day}"`);
  return sql.raw(`'${day}'`);
}
