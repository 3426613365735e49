import { sql } from "drizzle-orm";
import { type Placement, type PoolRule, placeOnHosts } from "../core/pool.ts";
import type { Db, Tx } from "../store/connect.ts";
import { notify } from "../store/notify.ts";

/** Executions placed in one transaction at most. */
const BATCH = 200;

/**
 * Gives what waits in a pool to its hosts: the highest priority first, then the oldest, as many as
 * there are slots. Slots are counted from rows under the pool's lock, so that any number of nodes
 * together never exceed `maxRunning`.
 *
 * @returns How many were placed.
 */
export async function dispatchPool(db: Db, pool: PoolRule): Promise<number> {
  let total = 0;
  for (;;) {
    const placements = await db.transaction((tx) => dispatchBatch(tx, pool));
    total += placements.length;
    if (placements.length < BATCH) return total;
  }
}

async function dispatchBatch(tx: Tx, pool: PoolRule): Promise<Placement[]> {
  await tx.execute(sql`
    SELECT pg_advisory_xact_lock(hashtext('fastlane dispatch'), hashtext(${pool.match}))`);
  const [running, load, waiting] = await Promise.all([
    countRunning(tx, pool),
    loadOfAvailableHosts(tx, pool),
    firstWaiting(tx, pool),
  ]);
  const slots = Math.max(0, pool.maxRunning - running);
  const placements = placeOnHosts(waiting.slice(0, slots), load);
  if (placements.length === 0) return [];
  const hosts = new Set(placements.map(({ host }) => host));
  await Promise.all([
    tx.execute(sql`
      UPDATE fastlane.executions
      SET status = 'pulling', host = placed.host, placements = placements + 1
      FROM jsonb_to_recordset(${JSON.stringify(placements)}::jsonb)
        AS placed ("executionId" uuid, host text)
      WHERE executions.id = placed."executionId" AND status = 'enqueued'`),
    ...[...hosts].map((host) => notify(tx, { about: "host", host })),
  ]);
  return placements;
}

async function firstWaiting(tx: Tx, pool: PoolRule): Promise<string[]> {
  const rows = await tx.execute<{ id: string }>(sql`
    SELECT id FROM fastlane.executions
    WHERE pool = ${pool.match} AND status = 'enqueued' AND available_at <= now()
    ORDER BY priority DESC, created_at, id
    LIMIT ${BATCH}`);
  return rows.map(({ id }) => id);
}

async function countRunning(tx: Tx, pool: PoolRule): Promise<number> {
  const [row] = await tx.execute<{ running: number }>(sql`
    SELECT count(*)::int AS running FROM fastlane.executions
    WHERE pool = ${pool.match} AND status IN ('pulling', 'running')`);
  return row?.running ?? 0;
}

/** The pool's hosts that an owner has within reach, with what each runs for all pools together. */
async function loadOfAvailableHosts(tx: Tx, pool: PoolRule): Promise<Map<string, number>> {
  const names = sql.join(
    pool.hosts.map((host) => sql`${host}`),
    sql`, `,
  );
  const rows = await tx.execute<{ name: string; running: number }>(sql`
    SELECT name, (
      SELECT count(*)::int FROM fastlane.executions
      WHERE executions.host = hosts.name AND status IN ('pulling', 'running')
    ) AS running
    FROM fastlane.hosts
    WHERE name IN (${names}) AND reachable AND lease_expires_at > clock_timestamp()`);
  return new Map(rows.map(({ name, running }) => [name, running]));
}
