import { type SQL, sql } from "drizzle-orm";
import type { ContainerRequest } from "../payload/job-details.ts";
import type { Db, Tx } from "./connect.ts";
import type { ExecutionRow } from "./schema.ts";

/**
 * Locks the counts of all concurrency keys until the transaction ends, where something that waits
 * in the pool has one: a key's slots are shared by all pools.
 *
 * @returns Whether it did; what waits with a key must be left alone when it did not.
 */
export async function lockKeysWhereNeeded(tx: Tx, pool: string): Promise<boolean> {
  const [row] = await tx.execute<{ locked: string | null }>(sql`
    SELECT pg_advisory_xact_lock(hashtext('fastlane keys'), 0)::text AS locked
    WHERE EXISTS (
      SELECT FROM fastlane.executions
      WHERE pool = ${pool} AND status = 'enqueued' AND concurrency_key IS NOT NULL
    )`);
  return row !== undefined;
}

/**
 * What may start now of all that waits in a pool, in the order in which it is to. A key that is
 * full holds up nobody else: of each key only as many are looked at as it has slots.
 *
 * @param limit At most so many.
 * @param isKeyed Whether the counts of the keys are locked.
 */
export async function firstWaiting(
  tx: Tx,
  pool: string,
  limit: number,
  isKeyed: boolean,
): Promise<NextWaiting[]> {
  const plain = sql`
    SELECT id, priority, created_at FROM fastlane.executions AS waiting
    WHERE pool = ${pool} AND status = 'enqueued' AND concurrency_key IS NULL AND ${MAY_START}
    ORDER BY priority DESC, created_at, id
    LIMIT ${limit}`;
  const keyed = sql`
    SELECT first.id, first.priority, first.created_at
    FROM (
      SELECT DISTINCT concurrency_key FROM fastlane.executions
      WHERE pool = ${pool} AND status = 'enqueued' AND concurrency_key IS NOT NULL
    ) AS key
    CROSS JOIN LATERAL (
      SELECT count(*) AS running FROM fastlane.executions
      WHERE status IN ('pulling', 'running') AND concurrency_key = key.concurrency_key
    ) AS held
    CROSS JOIN LATERAL (
      SELECT id, priority, created_at, concurrency_limit,
        row_number() OVER (ORDER BY priority DESC, created_at, id) AS place
      FROM fastlane.executions AS waiting
      WHERE concurrency_key = key.concurrency_key AND pool = ${pool} AND status = 'enqueued'
        AND ${MAY_START}
      ORDER BY priority DESC, created_at, id
      LIMIT ${limit}
    ) AS first
    WHERE held.running + first.place <= first.concurrency_limit`;
  const next = isKeyed ? sql`(${plain}) UNION ALL (${keyed})` : plain;
  return await tx.execute<NextWaiting>(sql`
    SELECT executions.id, request ->> 'image' AS image, request ->> 'pullPolicy' AS "pullPolicy",
      avoids_host AS avoids
    FROM (${next}) AS next JOIN fastlane.executions ON executions.id = next.id
    ORDER BY next.priority DESC, next.created_at, next.id
    LIMIT ${limit}`);
}

// A type, since drizzle takes no interface for the shape of a row.
export type NextWaiting = {
  id: string;
  image: string;
  pullPolicy: ContainerRequest["pullPolicy"];
  avoids: string | null;
};

const MAY_START = sql`available_at <= now() AND (expires_at IS NULL OR expires_at > now())
  AND NOT (after_previous AND EXISTS (
    SELECT FROM fastlane.executions AS earlier
    WHERE earlier.job_id = waiting.job_id AND earlier.status IN ('enqueued', 'pulling', 'running')
      AND (earlier.created_at, earlier.id) < (waiting.created_at, waiting.id)
  ))`;

/** How many holders of a full limit are named. */
const NAMED = 20;

/** The executions that hold a pool's slots, the longest first: how many, and some of them. */
export async function holdersOfPool(db: Db, pool: string): Promise<Holders> {
  return await holders(db, sql`pool = ${pool}`);
}

export async function holdersOfKey(db: Db, key: string): Promise<Holders> {
  return await holders(db, sql`concurrency_key = ${key}`);
}

export interface Holders {
  count: number;
  ids: string[];
}

async function holders(db: Db, fits: SQL): Promise<Holders> {
  const rows = await db.execute<{ id: string; total: number }>(sql`
    SELECT id, (count(*) OVER ())::int AS total FROM fastlane.executions
    WHERE ${fits} AND status IN ('pulling', 'running')
    ORDER BY created_at, id LIMIT ${NAMED}`);
  return { count: rows[0]?.total ?? 0, ids: rows.map(({ id }) => id) };
}

/** How many wait in the pool that are served before an execution. */
export async function countAhead(db: Db, execution: ExecutionRow): Promise<number> {
  const [row] = await db.execute<{ ahead: number }>(sql`
    SELECT count(*)::int AS ahead FROM fastlane.executions AS other, fastlane.executions AS own
    WHERE own.id = ${execution.id} AND other.pool = own.pool AND other.status = 'enqueued'
      AND other.available_at <= now()
      AND (-other.priority, other.created_at, other.id) < (-own.priority, own.created_at, own.id)`);
  return row?.ahead ?? 0;
}

/** The earlier executions of its job that have not ended. */
export async function openBefore(db: Db, execution: ExecutionRow): Promise<string[]> {
  const rows = await db.execute<{ id: string }>(sql`
    SELECT other.id FROM fastlane.executions AS other, fastlane.executions AS own
    WHERE own.id = ${execution.id} AND other.job_id = own.job_id
      AND other.status IN ('enqueued', 'pulling', 'running')
      AND (other.created_at, other.id) < (own.created_at, own.id)
    ORDER BY other.created_at, other.id LIMIT ${NAMED}`);
  return rows.map(({ id }) => id);
}
