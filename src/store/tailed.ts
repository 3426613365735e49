import { sql } from "drizzle-orm";
import type { Status } from "../core/status.ts";
import type { Db } from "./connect.ts";
import { type ChunkRow, type LogStretch, stretchOf, WEIGHT } from "./read-frames.ts";
import { executions, logChunks } from "./schema.ts";

/** What of an execution matters to those who follow many. */
export interface TailedRow extends Record<string, unknown> {
  id: string;
  taskId: string;
  jobId: string;
  host: string | null;
  status: Status;
  /** The partition in which its log is. */
  logDay: string;
  /** UNIX seconds by the clock of Postgres. */
  finishedAt: number | null;
}

const ROW = sql`id, task_id AS "taskId", job_id AS "jobId", host, status,
  log_day::text AS "logDay", extract(epoch FROM finished_at)::float8 AS "finishedAt"`;

/** What is on a host. */
export async function executionsOnHosts(db: Db): Promise<TailedRow[]> {
  return await db.execute<TailedRow>(sql`
    SELECT ${ROW} FROM ${executions} WHERE status IN ('pulling', 'running')`);
}

export async function executionsByIds(db: Db, ids: readonly string[]): Promise<TailedRow[]> {
  return await db.execute<TailedRow>(sql`
    SELECT ${ROW} FROM ${executions}
    WHERE id IN (SELECT value::uuid FROM jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb))`);
}

/**
 * Those that have ended in the last seconds. Of the executions of two days: so old are what is looked
 * through, and what runs for longer is on a host when it is looked for there.
 */
export async function endedLately(db: Db, seconds: number): Promise<string[]> {
  const rows = await db.execute<{ id: string }>(sql`
    SELECT id FROM ${executions}
    WHERE log_day >= (now() AT TIME ZONE 'UTC')::date - 1 AND host IS NOT NULL
      AND finished_at > now() - make_interval(secs => ${seconds})`);
  return rows.map(({ id }) => id);
}

export interface FarmAtOnce {
  /** What is on a host, with the number of the last frame of its log: 0 where it has none. */
  rows: (TailedRow & { logEnd: number })[];
  /** A moment behind which what ends is among `rows`, or began later. In UNIX seconds. */
  at: number;
}

export async function farmAtOnce(db: Db): Promise<FarmAtOnce> {
  const rows = await db.execute<TailedRow & { logEnd: string }>(sql`
    SELECT ${ROW}, coalesce((
      SELECT seq + frames - 1 FROM ${logChunks} WHERE day = log_day AND execution_id = id
      ORDER BY seq DESC LIMIT 1
    ), 0) AS "logEnd"
    FROM ${executions} WHERE status IN ('pulling', 'running')`);
  const [clock] = await db.execute<{ at: number }>(
    sql`SELECT extract(epoch FROM clock_timestamp())::float8 AS at`,
  );
  return {
    rows: rows.map((row) => ({ ...row, logEnd: Number(row.logEnd) })),
    at: clock?.at ?? Number.POSITIVE_INFINITY,
  };
}

/** A place in a log. */
export interface TailPlace {
  executionId: string;
  /** The partition in which the log is. */
  day: string;
  /** The number of a frame; 0 is the beginning. */
  after: number;
}

export interface TailStretch extends LogStretch {
  /** Nothing more was stored when it was read. */
  isAll: boolean;
}

/** Of one log at once. */
const CHUNKS_AT_ONCE = 64;
const BYTES_AT_ONCE = 32 * 1024;

/** The next frames behind each of these places; nothing of those that have none. */
export async function readStretches(
  db: Db,
  places: readonly TailPlace[],
): Promise<Map<string, TailStretch>> {
  const byDay = [...Map.groupBy(places, ({ day }) => day)];
  const ofDays = await Promise.all(byDay.map(([day, some]) => readStretchesOf(db, day, some)));
  return new Map(ofDays.flatMap((stretches) => [...stretches]));
}

async function readStretchesOf(
  db: Db,
  day: string,
  places: readonly TailPlace[],
): Promise<Map<string, TailStretch>> {
  const rows = await db.execute<ChunkRow & { id: string; found: string }>(sql`
    SELECT id, seq, index, data, found FROM (
      SELECT place."executionId" AS id, chunk.seq, chunk.index, chunk.data,
        count(*) OVER (PARTITION BY place."executionId") AS found,
        sum(bytes) OVER (PARTITION BY place."executionId" ORDER BY chunk.seq) - bytes AS before
      FROM jsonb_to_recordset(${JSON.stringify(places)}::jsonb)
        AS place ("executionId" uuid, after bigint)
      CROSS JOIN LATERAL (
        SELECT seq, index, data, ${WEIGHT} AS bytes
        FROM ${logChunks}
        WHERE day = ${day} AND execution_id = place."executionId" AND seq + frames > place.after + 1
          AND seq >= coalesce((
            SELECT max(seq) FROM ${logChunks}
            WHERE day = ${day} AND execution_id = place."executionId" AND seq <= place.after + 1
          ), 0)
        ORDER BY seq LIMIT ${CHUNKS_AT_ONCE}
      ) AS chunk
    ) AS chunks
    WHERE before < ${BYTES_AT_ONCE} ORDER BY id, seq`);
  const byExecution = Map.groupBy(rows, ({ id }) => id);
  const stretches = new Map<string, TailStretch>();
  for (const { executionId, after } of places) {
    const chunks = byExecution.get(executionId);
    if (chunks === undefined) continue;
    const found = Number(chunks[0]?.found);
    const isAll = found === chunks.length && found < CHUNKS_AT_ONCE;
    stretches.set(executionId, { ...stretchOf(chunks, after), isAll });
  }
  return stretches;
}
