import { and, asc, eq, inArray, sql } from "drizzle-orm";
import { KEPT_LONGER, type KeptLogs } from "../core/log-state.ts";
import type { Pause } from "../core/pruned.ts";
import type { Db, Tx } from "./connect.ts";
import {
  attachPartition,
  createPartition,
  literalOf,
  lockPartitions,
  partitionOf,
} from "./log-days.ts";
import { executions } from "./schema.ts";

/** Of the waits for all who read and write logs, while whose tables are changed; in milliseconds. */
const LOCK_TIMEOUT_MS = 250;
/** What one statement copies: it must not last, and is followed by the next. */
const COPY_BYTES = 16 * 1024 * 1024;
const COPY_CHUNKS = 2_000;
const COPY_EXECUTIONS = 500;
const COLUMNS = sql.raw(
  "execution_id, seq, frames, stdout_bytes, stderr_bytes, pull_bytes, last_at, index, data, day, lines, unended",
);

/** A day of logs whose time may be over. */
export interface AgedDay {
  day: string;
  kept: KeptLogs;
  hasOpen: boolean;
  /** Whether the time is over of all that failed, and of all others. */
  failedIsOver: boolean;
  othersAreOver: boolean;
}

/** The days of which something may have to go, the oldest first. Age counts from an end. */
export async function agedDays(
  db: Db,
  { logsDays, failedLogsDays }: { logsDays: number; failedLogsDays: number },
): Promise<AgedDay[]> {
  const failed = sql`status IN (${sql.join(
    KEPT_LONGER.map((status) => sql`${status}`),
    sql`, `,
  )})`;
  const ago = (days: number) => sql`(now() - make_interval(days => ${days}::int))`;
  return await db.execute<AgedDay & Record<string, unknown>>(sql`
    SELECT day::text AS day, kept,
      EXISTS (SELECT FROM ${executions} WHERE log_day = day AND finished_at IS NULL) AS "hasOpen",
      NOT EXISTS (SELECT FROM ${executions} WHERE log_day = day
        AND finished_at >= ${ago(failedLogsDays)} AND ${failed}) AS "failedIsOver",
      NOT EXISTS (SELECT FROM ${executions} WHERE log_day = day
        AND finished_at >= ${ago(logsDays)} AND NOT ${failed}) AS "othersAreOver"
    FROM fastlane.log_days
    WHERE (kept = 'all' AND day <= (${ago(logsDays)} AT TIME ZONE 'UTC')::date)
      OR (kept = 'failed' AND day <= (${ago(failedLogsDays)} AT TIME ZONE 'UTC')::date)
    ORDER BY log_days.day`);
}

/** What the logs of a day take on the disk; 0 when there are none any more. */
export async function bytesOfDay(db: Db, day: string): Promise<number> {
  const [row] = await db.execute<{ bytes: string | null }>(sql`
    SELECT pg_total_relation_size(to_regclass(${`fastlane.${partitionOf(day)}`})) AS bytes`);
  return Number(row?.bytes ?? 0);
}

/** What a day's logs take that go when those of what failed stay: roughly, by the rows alone. */
export async function bytesBesidesFailed(db: Db, day: string): Promise<number> {
  const [row] = await db.execute<{ bytes: string }>(sql`
    SELECT coalesce(sum(pg_column_size(index) + pg_column_size(data)), 0) AS bytes
    FROM fastlane.${sql.identifier(partitionOf(day))} JOIN ${executions} ON id = execution_id
    WHERE status NOT IN (${sql.join(
      KEPT_LONGER.map((status) => sql`${status}`),
      sql`, `,
    )})`);
  return Number(row?.bytes ?? 0);
}

/**
 * Drops all logs of a day.
 *
 * @throws {Error} With code 55P03 when somebody reads or writes logs for so long that all others
 *   would have to wait.
 */
export async function dropDay(db: Db, day: string): Promise<void> {
  await changePartitions(db, async (tx) => {
    await tx.execute(sql`UPDATE fastlane.log_days SET kept = 'none' WHERE day = ${day}`);
    await tx.execute(sql`DROP TABLE fastlane.${sql.identifier(partitionOf(day))}`);
  });
}

/**
 * Copies what failed on a day to a table of its own, for `replaceDay`.
 *
 * @param pause Between two statements.
 * @returns The table's name.
 */
export async function copyFailed(db: Db, day: string, pause: Pause): Promise<string> {
  const copy = `${partitionOf(day)}_kept_${crypto.randomUUID().slice(0, 8)}`;
  await db.transaction(async (tx) => {
    await createPartition(tx, copy);
    // With this the copy is attached without being looked through while all others wait.
    await tx.execute(sql`
      ALTER TABLE fastlane.${sql.identifier(copy)}
      ADD CONSTRAINT of_day CHECK (day = ${literalOf(day)})`);
  });
  const ids = await db
    .select({ id: executions.id })
    .from(executions)
    .where(and(eq(executions.logDay, day), inArray(executions.status, [...KEPT_LONGER])))
    .orderBy(asc(executions.id));
  for (let from = 0; from < ids.length; from += COPY_EXECUTIONS) {
    const some = ids.slice(from, from + COPY_EXECUTIONS).map(({ id }) => id);
    for (let place: Place | null = BEGIN; place !== null; ) {
      await pause();
      place = await copyChunks(db, { from: partitionOf(day), to: copy }, some, place);
    }
  }
  return copy;
}

interface Place {
  executionId: string;
  seq: number;
}
const BEGIN: Place = { executionId: "00000000-0000-0000-0000-000000000000", seq: 0 };

/** @returns Where to go on; `null` when all is copied. */
async function copyChunks(
  db: Db,
  tables: { from: string; to: string },
  ids: readonly string[],
  { executionId, seq }: Place,
): Promise<Place | null> {
  const from = sql`fastlane.${sql.identifier(tables.from)}`;
  const [last] = await db.execute<{ executionId: string; seq: string }>(sql`
    WITH next AS (
      SELECT execution_id, seq, sum(bytes) OVER (ORDER BY execution_id, seq) - bytes AS before
      FROM (
        SELECT execution_id, seq, stdout_bytes::bigint + stderr_bytes + pull_bytes AS bytes
        FROM ${from}
        WHERE execution_id IN (SELECT value::uuid
            FROM jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb))
          AND (execution_id, seq) > (${executionId}, ${seq})
        ORDER BY execution_id, seq LIMIT ${COPY_CHUNKS}
      ) AS chunks
    ),
    copied AS (
      INSERT INTO fastlane.${sql.identifier(tables.to)} (${COLUMNS})
      SELECT ${COLUMNS} FROM ${from} JOIN next USING (execution_id, seq) WHERE before < ${COPY_BYTES}
      RETURNING execution_id, seq
    )
    SELECT execution_id AS "executionId", seq FROM copied
    ORDER BY execution_id DESC, seq DESC LIMIT 1`);
  return last === undefined ? null : { executionId: last.executionId, seq: Number(last.seq) };
}

/** Puts a copy by `copyFailed` in the place of its day's partition. @throws {Error} As `dropDay`. */
export async function replaceDay(db: Db, day: string, copy: string): Promise<void> {
  const name = partitionOf(day);
  await changePartitions(db, async (tx) => {
    await tx.execute(sql`UPDATE fastlane.log_days SET kept = 'failed' WHERE day = ${day}`);
    await tx.execute(sql`DROP TABLE fastlane.${sql.identifier(name)}`);
    await tx.execute(sql`
      ALTER TABLE fastlane.${sql.identifier(copy)} RENAME TO ${sql.identifier(name)}`);
    await attachPartition(tx, name, day);
    await tx.execute(sql`ALTER TABLE fastlane.${sql.identifier(name)} DROP CONSTRAINT of_day`);
  });
}

/** Removes what `copyFailed` has left that was never put in place. */
export async function dropCopies(db: Db): Promise<void> {
  const copies = await db.execute<{ name: string }>(sql`
    SELECT relname AS name FROM pg_class
    WHERE relnamespace = 'fastlane'::regnamespace AND relkind = 'r' AND NOT relispartition
      AND relname ~ '^log_chunks_[0-9]{8}_kept_'`);
  for (const { name } of copies) {
    await db.execute(sql`DROP TABLE IF EXISTS fastlane.${sql.identifier(name)}`);
  }
}

/**
 * A change that all who read or write logs have to wait for: it lasts some milliseconds, and is given
 * up when it does not come to its turn at once. DETACH CONCURRENTLY would hold up nobody, but cannot
 * be in one transaction with what takes the partition's place, and leaves half a state when it is cut off.
 */
async function changePartitions(db: Db, change: (tx: Tx) => Promise<void>): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.execute(sql.raw(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`));
    await lockPartitions(tx);
    await change(tx);
  });
}
