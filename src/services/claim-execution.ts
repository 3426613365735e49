import { and, eq, or, type SQL, sql } from "drizzle-orm";
import type { Db } from "../store/connect.ts";
import { holdLease, type Lease } from "../store/hosts.ts";
import { executions } from "../store/schema.ts";

/**
 * Writes that the execution's container is about to be started. Only after this may it be: the
 * row's status and the lease say that nobody else has, and that it has not been ended meanwhile.
 *
 * @returns Whether the container may be started.
 */
export async function claimStart(db: Db, lease: Lease, executionId: string): Promise<boolean> {
  return await setClaim(db, lease, executionId, sql`now()`);
}

/** Takes a claim back: no container was created, and it will be long before one can be. */
export async function dropClaim(db: Db, lease: Lease, executionId: string): Promise<boolean> {
  return await setClaim(db, lease, executionId, null);
}

async function setClaim(
  db: Db,
  lease: Lease,
  executionId: string,
  claimedAt: SQL | null,
): Promise<boolean> {
  return await db.transaction(async (tx) => {
    await holdLease(tx, lease);
    const claimed = await tx
      .update(executions)
      .set({ claimedAt })
      .where(isOnHost(lease, executionId, "pulling"))
      .returning({ id: executions.id });
    return claimed.length > 0;
  });
}

/**
 * Writes that the container runs. May be repeated, since the answer to a commit can be lost: then
 * the first time stands.
 *
 * @returns Whether it runs for the execution: `false` when that has ended, or is elsewhere.
 */
export async function markRunning(
  db: Db,
  lease: Lease,
  executionId: string,
  containerId: string,
): Promise<boolean> {
  return await db.transaction(async (tx) => {
    await holdLease(tx, lease);
    const marked = await tx
      .update(executions)
      .set({
        status: "running",
        containerId,
        claimedAt: sql`coalesce(claimed_at, now())`,
        startedAt: sql`coalesce(started_at, now())`,
      })
      .where(
        or(
          isOnHost(lease, executionId, "pulling"),
          and(isOnHost(lease, executionId, "running"), eq(executions.containerId, containerId)),
        ),
      )
      .returning({ id: executions.id });
    return marked.length > 0;
  });
}

function isOnHost(lease: Lease, executionId: string, status: "pulling" | "running") {
  return and(
    eq(executions.id, executionId),
    eq(executions.host, lease.host),
    eq(executions.status, status),
  );
}
