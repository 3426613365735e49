import { and, asc, eq, inArray, lte, sql } from "drizzle-orm";
import { shortImageName } from "../core/image-reference.ts";
import { type Placement, type PoolRule, placeOnHosts } from "../core/pool.ts";
import type { Db, Tx } from "../store/connect.ts";
import { note } from "../store/deeds.ts";
import { imagesAtHand } from "../store/host-images.ts";
import { notify } from "../store/notify.ts";
import { executions } from "../store/schema.ts";
import { firstWaiting, lockKeysWhereNeeded, type NextWaiting } from "../store/waiting.ts";
import { ENDED, followEnds } from "./follow-end.ts";

/** Executions placed in one transaction at most. */
const BATCH = 200;

export interface Dispatched {
  placed: number;
  /** The hosts that something was given to. */
  hosts: string[];
  /** Something waits for which there was no slot or no host. */
  isStuck: boolean;
}

/**
 * Gives what waits in a pool to its hosts: the highest priority first, then the oldest, as many as
 * there are slots. Slots, of the pool and of each concurrency key, are counted from rows under a
 * lock, so that any number of nodes together never exceed a limit. What has expired ends.
 *
 * @param needsNoWord Hosts whose owner looks by itself when this is done.
 */
export async function dispatchPool(
  db: Db,
  pool: PoolRule,
  needsNoWord: (host: string) => boolean = () => false,
): Promise<Dispatched> {
  let placed = 0;
  const hosts = new Set<string>();
  for (;;) {
    // Most dispatches are asked for while the pool is full: those cost one question and no lock.
    const { waits, hasRoom, expires } = await lookAtPool(db, pool);
    const isStuck = waits && !hasRoom;
    if (!expires && (!waits || isStuck)) return { placed, hosts: [...hosts], isStuck };
    const placements = await db.transaction((tx) => dispatchBatch(tx, pool, needsNoWord));
    placed += placements.length;
    for (const { host } of placements) hosts.add(host);
    if (placements.length < BATCH) return { placed, hosts: [...hosts], isStuck };
  }
}

interface PoolLook {
  /** Something may begin. */
  waits: boolean;
  /** A slot is free, and a host is there. */
  hasRoom: boolean;
  /** Something must end, since it was to begin before now. */
  expires: boolean;
}

/** Whatever makes it otherwise a moment later has a dispatch of its own. */
async function lookAtPool(db: Db, { match, hosts, maxRunning }: PoolRule): Promise<PoolLook> {
  const [look] = await db.$client<PoolLook[]>`
    SELECT
      EXISTS (
        SELECT FROM fastlane.executions
        WHERE pool = ${match} AND status = 'enqueued' AND available_at <= now()
      ) AS waits,
      EXISTS (
        SELECT FROM fastlane.hosts
        WHERE name IN (SELECT jsonb_array_elements_text(${JSON.stringify(hosts)}::text::jsonb))
          AND reachable AND lease_expires_at > clock_timestamp()
          AND circuit = 'closed' AND blacklisted_at IS NULL
      ) AND ${maxRunning}::int > (
        SELECT count(*) FROM fastlane.executions
        WHERE pool = ${match} AND status IN ('pulling', 'running')
      ) AS "hasRoom",
      EXISTS (
        SELECT FROM fastlane.executions
        WHERE pool = ${match} AND status = 'enqueued' AND expires_at <= now()
      ) AS expires`;
  return look ?? { waits: false, hasRoom: false, expires: false };
}

/** Nothing of the pool is given to any host until the transaction ends. */
export async function lockDispatch(tx: Tx, pool: string): Promise<void> {
  await tx.execute(sql`
    SELECT pg_advisory_xact_lock(hashtext('fastlane dispatch'), hashtext(${pool}))`);
}

async function dispatchBatch(
  tx: Tx,
  pool: PoolRule,
  needsNoWord: (host: string) => boolean,
): Promise<Placement[]> {
  await lockDispatch(tx, pool.match);
  const isKeyed = await lockKeysWhereNeeded(tx, pool.match);
  const [running, load] = await Promise.all([
    countRunning(tx, pool),
    loadOfAvailableHosts(tx, pool),
    endExpired(tx, pool),
  ]);
  const slots = Math.min(BATCH, pool.maxRunning - running);
  if (slots <= 0 || load.size === 0) return [];
  const waiting = await firstWaiting(tx, pool.match, slots, isKeyed);
  const placements = await place(tx, pool, waiting, load);
  if (placements.length === 0) return [];
  const hosts = new Set(placements.map(({ host }) => host).filter((host) => !needsNoWord(host)));
  const [placed] = await Promise.all([
    // Locked in one order first, as by whoever else changes several at once.
    tx.execute<{ waitedSeconds: number }>(sql`
      WITH placed AS (
        SELECT executions.id, x.host
        FROM fastlane.executions
        JOIN jsonb_to_recordset(${JSON.stringify(placements)}::jsonb)
          AS x ("executionId" uuid, host text) ON executions.id = x."executionId"
        WHERE status = 'enqueued'
        ORDER BY executions.id FOR UPDATE OF executions
      )
      UPDATE fastlane.executions
      SET status = 'pulling', host = placed.host, placements = placements + 1
      FROM placed WHERE executions.id = placed.id
      RETURNING extract(epoch FROM clock_timestamp() - available_at)::float8 AS "waitedSeconds"`),
    ...[...hosts].map((host) => notify(tx, { about: "host", host })),
  ]);
  const deedOf = ({ waitedSeconds }: { waitedSeconds: number }) =>
    ({ kind: "placed", pool: pool.match, waitedSeconds }) as const;
  note(tx, ...placed.map(deedOf));
  return placements;
}

async function place(
  tx: Tx,
  pool: PoolRule,
  waiting: readonly NextWaiting[],
  load: ReadonlyMap<string, number>,
): Promise<Placement[]> {
  const wanted = waiting.map(({ id, image, pullPolicy, avoids }) => ({
    executionId: id,
    // One that is pulled in any case is as well off anywhere, as is one with nowhere else to go.
    image: pullPolicy === "always" || load.size < 2 ? null : shortImageName(image),
    avoids,
  }));
  const images = new Set(wanted.flatMap(({ image }) => image ?? []));
  const atHand = await imagesAtHand(tx, [...load.keys()], [...images]);
  const hosts = new Map(
    [...load].map(([name, running]) => [name, { running, images: atHand.get(name) ?? new Set() }]),
  );
  return placeOnHosts(wanted, hosts, pool.maxRunning);
}

/** What was to begin before a moment that has passed never does. */
async function endExpired(tx: Tx, pool: PoolRule): Promise<void> {
  const expired = await tx
    .update(executions)
    .set({
      status: "expired",
      failureCause: "expired",
      finishedAt: sql`now()`,
      message: sql`'Not started before its expiration at ' || to_char(expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`,
    })
    .where(
      inArray(
        executions.id,
        tx
          .select({ id: executions.id })
          .from(executions)
          .where(
            and(
              eq(executions.pool, pool.match),
              eq(executions.status, "enqueued"),
              lte(executions.expiresAt, sql`now()`),
            ),
          )
          .orderBy(asc(executions.id))
          .for("update", { skipLocked: true }),
      ),
    )
    .returning(ENDED);
  await followEnds(tx, expired);
}

async function countRunning(tx: Tx, pool: PoolRule): Promise<number> {
  const [row] = await tx.execute<{ running: number }>(sql`
    SELECT count(*)::int AS running FROM fastlane.executions
    WHERE pool = ${pool.match} AND status IN ('pulling', 'running')`);
  return row?.running ?? 0;
}

/** The pool's hosts that can be given something, with what each runs for all pools together. */
async function loadOfAvailableHosts(tx: Tx, pool: PoolRule): Promise<Map<string, number>> {
  const rows = await tx.execute<{ name: string; running: number }>(sql`
    SELECT name, coalesce(held.running, 0)::int AS running
    FROM fastlane.hosts
    LEFT JOIN (
      SELECT host, count(*) AS running FROM fastlane.executions
      WHERE status IN ('pulling', 'running') GROUP BY host
    ) AS held ON held.host = hosts.name
    WHERE name IN (SELECT jsonb_array_elements_text(${JSON.stringify(pool.hosts)}::jsonb))
      AND reachable AND lease_expires_at > clock_timestamp()
      AND circuit = 'closed' AND blacklisted_at IS NULL`);
  return new Map(rows.map(({ name, running }) => [name, running]));
}
