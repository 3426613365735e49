import { and, asc, eq, inArray, sql } from "drizzle-orm";
import type { Db, Tx } from "./connect.ts";
import { type HostRow, hosts } from "./schema.ts";

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

/**
 * Takes the lease when nobody holds it, its time is up, or this node had it: the answer to an
 * earlier call may have been lost. `null` when another node has it.
 */
export async function acquireLease(db: Db, host: string, nodeId: string): Promise<Lease | null> {
  const [row] = await db.execute<{ fence: string }>(sql`
    UPDATE fastlane.hosts
    SET lease_node = ${nodeId}, fence = fence + 1, reachable = false,
        lease_expires_at = clock_timestamp() + make_interval(secs => ${LEASE_SECONDS})
    WHERE name = ${host} AND (
      lease_node IS NULL OR lease_node = ${nodeId} OR lease_expires_at < clock_timestamp()
    )
    RETURNING fence`);
  return row === undefined ? null : { host, nodeId, fence: Number(row.fence) };
}

/** @returns The hosts of those leases that were renewed; the others are lost. */
export async function renewLeases(db: Db, leases: readonly Lease[]): Promise<Set<string>> {
  const renewed = new Set<string>();
  if (leases.length === 0) return renewed;
  const held = sql.join(
    leases.map((lease) => sql`(${lease.host}, ${lease.nodeId}::uuid, ${lease.fence}::bigint)`),
    sql`, `,
  );
  const rows = await db.execute<{ name: string }>(sql`
    UPDATE fastlane.hosts
    SET lease_expires_at = clock_timestamp() + make_interval(secs => ${LEASE_SECONDS})
    WHERE (name, lease_node, fence) IN (${held})
    RETURNING name`);
  for (const { name } of rows) renewed.add(name);
  return renewed;
}

/** Gives a lease back, so that another node need not wait for its end. */
export async function releaseLease(db: Db, lease: Lease): Promise<void> {
  await db
    .update(hosts)
    .set({ leaseNode: null, leaseExpiresAt: null, reachable: false })
    .where(isHeld(lease));
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

export async function recordReachable(
  db: Db,
  lease: Lease,
  engineVersion: string,
): Promise<boolean> {
  const rows = await db
    .update(hosts)
    .set({ reachable: true, lastSeenAt: sql`now()`, engineVersion, lastError: null })
    .where(isHeld(lease))
    .returning({ name: hosts.name });
  return rows.length > 0;
}

export async function recordUnreachable(db: Db, lease: Lease, error: string): Promise<void> {
  await db.update(hosts).set({ reachable: false, lastError: error }).where(isHeld(lease));
}

export async function listHosts(db: Db, names: readonly string[]): Promise<HostRow[]> {
  if (names.length === 0) return [];
  return await db
    .select()
    .from(hosts)
    .where(inArray(hosts.name, [...names]))
    .orderBy(asc(hosts.name));
}

function isHeld(lease: Lease) {
  return and(
    eq(hosts.name, lease.host),
    eq(hosts.leaseNode, lease.nodeId),
    eq(hosts.fence, lease.fence),
  );
}
