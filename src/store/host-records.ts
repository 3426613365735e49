import { eq, inArray, sql } from "drizzle-orm";
import type { Db, Tx } from "./connect.ts";
import { type HostRow, hosts, nodes } from "./schema.ts";

export interface HostRecord {
  host: HostRow;
  /** Executions there that have not ended, of all pools. */
  running: number;
  /** Who owns the host; `null` when nobody does, or its time is up. */
  lease: { nodeId: string; node: string; expiresAt: Date } | null;
}

/** The rows of hosts by name, with their owners. */
export async function hostRecords(
  db: Db | Tx,
  names: readonly string[],
): Promise<Map<string, HostRecord>> {
  if (names.length === 0) return new Map();
  const rows = await db
    .select({
      host: hosts,
      node: nodes.name,
      isOwned: sql<boolean>`coalesce(${hosts.leaseExpiresAt} > clock_timestamp(), false)`,
      running: sql<number>`(
        SELECT count(*)::int FROM fastlane.executions
        WHERE executions.host = ${hosts.name} AND status IN ('pulling', 'running')
      )`,
    })
    .from(hosts)
    .leftJoin(nodes, eq(nodes.id, hosts.leaseNode))
    .where(inArray(hosts.name, [...names]));
  return new Map(
    rows.map(({ host, node, isOwned, running }) => {
      const { leaseNode: nodeId, leaseExpiresAt: expiresAt } = host;
      const isHeld = isOwned && nodeId !== null && expiresAt !== null;
      const lease = isHeld ? { nodeId, node: node ?? nodeId, expiresAt } : null;
      return [host.name, { host, running, lease }];
    }),
  );
}
