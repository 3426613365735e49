import { inArray, sql } from "drizzle-orm";
import type { Db } from "./connect.ts";
import { hosts, installation, nodes } from "./schema.ts";

/** A node that has not been heard of for so long is gone, in seconds. */
const NODE_GONE_SECONDS = 60;

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
}

/** Writes that the node is alive; makes its row when it is new, or was taken for gone meanwhile. */
export async function beatNode(db: Db, node: NodeRecord): Promise<void> {
  await db
    .insert(nodes)
    .values(node)
    .onConflictDoUpdate({
      target: nodes.id,
      set: { heartbeatAt: sql`now()`, queuePoolId: node.queuePoolId },
    });
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
    await tx
      .update(hosts)
      .set({ leaseNode: null, leaseExpiresAt: null, reachable: false })
      .where(inArray(hosts.leaseNode, [...ids]));
    const removed = await tx
      .delete(nodes)
      .where(inArray(nodes.id, [...ids]))
      .returning({ queuePoolId: nodes.queuePoolId });
    return removed.flatMap(({ queuePoolId }) => queuePoolId ?? []);
  });
}
