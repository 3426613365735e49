import { and, asc, eq, gt, inArray, sql } from "drizzle-orm";
import type { Db } from "./connect.ts";
import { LEASE_SECONDS, RELEASED } from "./hosts.ts";
import { hosts, installation, nodes } from "./schema.ts";

/** A node that has not been heard of for so long is gone, in seconds. */
export const NODE_GONE_SECONDS = 60;

export async function installationId(db: Db): Promise<string> {
  const [row] = await db.select({ id: installation.id }).from(installation);
  if (row === undefined) throw new Error("The installation has no row: the schema is not migrated");
  return row.id;
}

export interface NodeRecord {
  id: string;
  name: string;
  version: string;
  /** See `processIdentity`. */
  process: string;
  queuePoolId: string | null;
  /** The same for all nodes with the same hosts, which share these out among themselves. */
  farm: string;
}

/**
 * Writes that the node is alive; makes its row when it is new, or was taken for gone meanwhile.
 *
 * @returns How many nodes of the same farm are alive, this one among them.
 */
export async function beatNode(db: Db, node: NodeRecord): Promise<number> {
  await db
    .insert(nodes)
    .values({ ...node, opensSealed: true })
    .onConflictDoUpdate({
      target: nodes.id,
      set: { heartbeatAt: sql`now()`, queuePoolId: node.queuePoolId, farm: node.farm },
    });
  return await db.$count(
    nodes,
    and(
      eq(nodes.farm, node.farm),
      gt(nodes.heartbeatAt, sql`now() - make_interval(secs => ${LEASE_SECONDS})`),
    ),
  );
}

/** Has a node not count among those that share hosts out: what it gives back is for the others. */
export async function leaveFarm(db: Db, nodeId: string): Promise<void> {
  await db.update(nodes).set({ farm: "" }).where(eq(nodes.id, nodeId));
}

export async function listNodes(
  db: Db,
): Promise<{ id: string; process: string; isSilent: boolean }[]> {
  return await db
    .select({
      id: nodes.id,
      process: nodes.process,
      isSilent: sql<boolean>`${nodes.heartbeatAt} < now() - make_interval(secs => ${NODE_GONE_SECONDS})`,
    })
    .from(nodes);
}

/**
 * Removes nodes that are gone and gives their hosts back at once.
 *
 * @returns The names under which they held messages of the queue.
 */
export async function removeNodes(db: Db, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  return await db.transaction(async (tx) => {
    // In one order, as by whoever else locks several.
    await tx
      .select({ name: hosts.name })
      .from(hosts)
      .where(inArray(hosts.leaseNode, [...ids]))
      .orderBy(asc(hosts.name))
      .for("no key update");
    await tx
      .update(hosts)
      .set(RELEASED)
      .where(inArray(hosts.leaseNode, [...ids]));
    const removed = await tx
      .delete(nodes)
      .where(inArray(nodes.id, [...ids]))
      .returning({ queuePoolId: nodes.queuePoolId });
    return removed.flatMap(({ queuePoolId }) => queuePoolId ?? []);
  });
}
