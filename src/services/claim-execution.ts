import { and, eq, sql } from "drizzle-orm";
import type { Db } from "../store/connect.ts";
import { holdLease, type Lease } from "../store/hosts.ts";
import { executions } from "../store/schema.ts";

/**
 * Writes which container is about to be started. Only after this may it be: the row's status and
 * the lease say that nobody else has, and that the execution has not been ended meanwhile.
 *
 * @returns Whether the container may be started.
 */
export async function claimStart(
  db: Db,
  lease: Lease,
  executionId: string,
  containerId: string,
): Promise<boolean> {
  return await db.transaction(async (tx) => {
    await holdLease(tx, lease);
    const claimed = await tx
      .update(executions)
      .set({ containerId })
      .where(isOnHost(lease, executionId, "pulling"))
      .returning({ id: executions.id });
    return claimed.length > 0;
  });
}

/** Writes that the container runs. @returns Whether it was still to be: `false` when it had ended. */
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
      .set({ status: "running", containerId, startedAt: sql`now()` })
      .where(isOnHost(lease, executionId, "pulling"))
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
