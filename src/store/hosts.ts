import { and, eq, sql } from "drizzle-orm";
import type { Circuit } from "../core/farm.ts";
import type { Db, Tx } from "./connect.ts";
import { hosts } from "./schema.ts";

/** A node's right to act on a host; every write of its supervisor checks it by `holdLease`. */
export interface Lease {
  host: string;
  nodeId: string;
  fence: number;
}

/** A lease is renewed every 2 s and lost after this long, in seconds, by the database's clock. */
export const LEASE_SECONDS = 10;

/** Thrown where a write found that another node owns the host by now. */
export class LeaseLost extends Error {
  override readonly name = "LeaseLost";
  constructor(lease: Lease) {
    super(`Lease on host "${lease.host}" lost: another node holds it`);
  }
}

export async function registerHosts(db: Db, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  await db
    .insert(hosts)
    .values(names.map((name) => ({ name })))
    .onConflictDoNothing();
}

/** Whom a node wants hosts from: those of its configuration that it does not hold. */
export interface LeaseWish {
  nodeId: string;
  hosts: readonly string[];
  /** How many it takes at most of those that are free. */
  limit: number;
  /** A host that has been free for longer than this is taken beyond the limit: nobody else wants it. */
  patienceSeconds: number;
}

/**
 * Takes leases that nobody holds, whose time is up, or that this node had: the answer to an earlier
 * call may have been lost.
 */
export async function acquireLeases(db: Db, wish: LeaseWish): Promise<Lease[]> {
  const { nodeId, hosts: names, limit, patienceSeconds } = wish;
  if (names.length === 0) return [];
  const rows = await db.execute<{ name: string; fence: string }>(sql`
    WITH free AS MATERIALIZED (
      SELECT name, greatest(released_at, lease_expires_at) AS since FROM fastlane.hosts
      WHERE name IN (SELECT jsonb_array_elements_text(${JSON.stringify(names)}::jsonb)) AND (
        lease_node IS NULL OR lease_node = ${nodeId} OR lease_expires_at < clock_timestamp()
      )
      ORDER BY name FOR NO KEY UPDATE
    ),
    ranked AS (SELECT name, since, row_number() OVER (ORDER BY name) AS place FROM free)
    UPDATE fastlane.hosts
    SET lease_node = ${nodeId}, fence = fence + 1, reachable = false,
        lease_expires_at = clock_timestamp() + make_interval(secs => ${LEASE_SECONDS})
    FROM ranked
    WHERE hosts.name = ranked.name AND (
      place <= ${limit} OR since < clock_timestamp() - make_interval(secs => ${patienceSeconds})
    )
    RETURNING hosts.name, fence`);
  return rows.map(({ name, fence }) => ({ host: name, nodeId, fence: Number(fence) }));
}

/** What a host's row tells its owner, each time that the owner writes there. */
// A type, since drizzle takes no interface for the shape of a row.
export type HostState = {
  circuit: Circuit;
  /** In a row. */
  failures: number;
  /** How long until the circuit is probed, below 0 when it is due; `null` while it is closed. */
  probeInMs: number | null;
  /** The time is over that the host was given to finish what it runs. */
  isDrainOver: boolean;
  /** Somebody wants it held against the rows at once. */
  isLookWanted: boolean;
};

export const HOST_STATE = {
  circuit: hosts.circuit,
  failures: hosts.failures,
  probeInMs: sql<number | null>`
    (extract(epoch FROM hosts.next_probe_at - clock_timestamp()) * 1000)::float8`,
  isDrainOver: sql<boolean>`coalesce(hosts.drain_deadline <= clock_timestamp(), false)`,
  isLookWanted: sql<boolean>`
    coalesce(hosts.reconcile_asked_at > coalesce(hosts.reconciled_at, '-infinity'), false)`,
};

/**
 * Renews leases, all in one statement however many there are.
 *
 * @param leases With whether the host has answered since the last time.
 * @returns The hosts of those that were renewed, with their state; the others are lost.
 */
export async function renewLeases(
  db: Db,
  leases: readonly (Lease & { isSeen?: boolean })[],
): Promise<Map<string, HostState>> {
  if (leases.length === 0) return new Map();
  // Locked in one order, as by whoever takes leases.
  const rows = await db.execute<HostState & { name: string }>(sql`
    WITH ours AS MATERIALIZED (
      SELECT name, "isSeen" FROM fastlane.hosts
      JOIN jsonb_to_recordset(${JSON.stringify(leases)}::jsonb)
        AS held (host text, "nodeId" uuid, fence bigint, "isSeen" boolean)
        ON name = held.host AND lease_node = held."nodeId" AND hosts.fence = held.fence
      ORDER BY name FOR NO KEY UPDATE OF hosts
    )
    UPDATE fastlane.hosts
    SET lease_expires_at = clock_timestamp() + make_interval(secs => ${LEASE_SECONDS}),
        last_seen_at = CASE WHEN "isSeen" THEN now() ELSE last_seen_at END
    FROM ours WHERE hosts.name = ours.name
    RETURNING hosts.name, circuit, failures, ${HOST_STATE.probeInMs} AS "probeInMs",
      ${HOST_STATE.isDrainOver} AS "isDrainOver", ${HOST_STATE.isLookWanted} AS "isLookWanted"`);
  return new Map(rows.map(({ name, ...state }) => [name, state]));
}

/** What a host's row is while nobody has its lease. */
export const RELEASED = {
  leaseNode: null,
  leaseExpiresAt: null,
  reachable: false,
  releasedAt: sql`now()`,
};

/** Gives a lease back, so that another node need not wait for its end. */
export async function releaseLease(db: Db | Tx, lease: Lease): Promise<void> {
  await db.update(hosts).set(RELEASED).where(isHeld(lease));
}

/** The same for many at once. */
export async function releaseLeases(db: Db, leases: readonly Lease[]): Promise<void> {
  await db.transaction(async (tx) => {
    // In one order, as by whoever else locks several.
    await tx.execute(sql`
      SELECT FROM fastlane.hosts WHERE ${areHeld(leases)} ORDER BY name FOR NO KEY UPDATE`);
    await tx.update(hosts).set(RELEASED).where(areHeld(leases));
  });
}

/**
 * Makes sure, until the transaction ends, that the lease is still held.
 *
 * @throws {LeaseLost} If another node has taken the host over.
 */
export async function holdLease(tx: Tx, lease: Lease): Promise<void> {
  const held = await tx.select({ name: hosts.name }).from(hosts).where(isHeld(lease)).for("share");
  if (held.length === 0) throw new LeaseLost(lease);
}

/**
 * The same for many leases at once: the hosts are locked in the order of their names, as by whoever
 * else locks several.
 *
 * @returns Those that are still held.
 */
export async function holdLeases(tx: Tx, leases: readonly Lease[]): Promise<Set<Lease>> {
  const rows = await tx.execute<{ name: string; fence: string }>(sql`
    SELECT name, fence FROM fastlane.hosts WHERE ${areHeld(leases)} ORDER BY name FOR SHARE`);
  const fences = new Map(rows.map(({ name, fence }) => [name, Number(fence)]));
  return new Set(leases.filter(({ host, fence }) => fences.get(host) === fence));
}

/** Fits the row of a lease's host while the lease is held. */
export function isHeld(lease: Lease) {
  return and(
    eq(hosts.name, lease.host),
    eq(hosts.leaseNode, lease.nodeId),
    eq(hosts.fence, lease.fence),
  );
}

function areHeld(leases: readonly Lease[]) {
  return sql`(name, lease_node, fence) IN (
    SELECT host, "nodeId", fence
    FROM jsonb_to_recordset(${JSON.stringify(leases)}::jsonb) AS x (host text, "nodeId" uuid, fence bigint)
  )`;
}
