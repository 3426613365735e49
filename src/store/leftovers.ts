import { sql } from "drizzle-orm";
import type { Db } from "./connect.ts";
import { isHeld, type Lease } from "./hosts.ts";
import { hosts } from "./schema.ts";

/**
 * Writes what a look at a host has found of containers that are of no execution there.
 *
 * @param left That could not be removed: the next look tries again.
 */
export async function recordReconciled(
  db: Db,
  lease: Lease,
  { left, removed }: { left: number; removed: number },
): Promise<void> {
  await db
    .update(hosts)
    .set({
      leftovers: left,
      leftoversRemoved: sql`leftovers_removed + ${removed}`,
      reconciledAt: sql`clock_timestamp()`,
    })
    .where(isHeld(lease));
}

/** Has the owners of all hosts look for leftovers; each sees it when it renews its leases. */
export async function askToReconcile(db: Db): Promise<void> {
  await db.update(hosts).set({ reconcileAskedAt: sql`clock_timestamp()` });
}

/** Containers of no execution, over all hosts. */
export interface Leftovers {
  /** By the last look at each host. */
  left: number;
  /** Ever. */
  removed: number;
  /** How many hosts that answer have not been looked at since `askToReconcile`. */
  unseen: number;
}

export async function leftoversOfHosts(db: Db): Promise<Leftovers> {
  const [row] = await db
    .select({
      left: sql<number>`coalesce(sum(leftovers), 0)::int`,
      removed: sql<number>`coalesce(sum(leftovers_removed), 0)::float8`,
      unseen: sql<number>`(count(*) FILTER (WHERE reachable
        AND lease_expires_at > clock_timestamp()
        AND reconcile_asked_at > coalesce(reconciled_at, '-infinity')))::int`,
    })
    .from(hosts);
  return row ?? { left: 0, removed: 0, unseen: 0 };
}
