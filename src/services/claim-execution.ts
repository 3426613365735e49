import { and, eq, gt, isNotNull, isNull, lte, or, type SQL, sql } from "drizzle-orm";
import { enqueue } from "../queue/enqueue.ts";
import type { Db } from "../store/connect.ts";
import { note } from "../store/deeds.ts";
import { WAITING_AGAIN } from "../store/executions.ts";
import { holdLease, type Lease } from "../store/hosts.ts";
import { lastStoredFrame } from "../store/log-chunks.ts";
import { executions } from "../store/schema.ts";
import { ENDED, followEnds } from "./follow-end.ts";
import { tell } from "./tell.ts";

/**
 * Writes that the execution's container is about to be started. Only after this may it be: the
 * row's status and the lease say that nobody else has, and that it has not been ended meanwhile.
 * One that has expired since it was given to the host is put back, to be ended by the dispatch; one
 * that was to be stopped ends here.
 *
 * What is stored of the execution's log by now came before the container's own, which begins behind
 * it: none of that is stored while an execution can be claimed.
 *
 * @returns How many frames that is; `null` when the container may not be started.
 */
export async function claimStart(
  db: Db,
  lease: Lease,
  executionId: string,
): Promise<{ logBase: number } | null> {
  const isInTime = or(isNull(executions.expiresAt), gt(executions.expiresAt, sql`now()`));
  const claimed = { claimedAt: sql`now()`, logBase: await lastStoredFrame(db, executionId) };
  const claim = await setClaim(db, lease, executionId, claimed, isInTime);
  if (claim !== null) return claim;
  await db.transaction(async (tx) => {
    await holdLease(tx, lease);
    const stopped = await tx
      .update(executions)
      .set({ status: "stopped", failureCause: "stopped", finishedAt: sql`now()` })
      .where(and(isOnHost(lease, executionId, "pulling"), isNotNull(executions.stopRequestedAt)))
      .returning(ENDED);
    await followEnds(tx, stopped);
    const [expired] = await tx
      .update(executions)
      .set(WAITING_AGAIN)
      .where(and(isOnHost(lease, executionId, "pulling"), lte(executions.expiresAt, sql`now()`)))
      .returning({ pool: executions.pool });
    if (expired !== undefined) await enqueue(tx, "dispatch", expired);
  });
  return null;
}

/** Takes a claim back: no container was created, and it will be long before one can be. */
export async function dropClaim(db: Db, lease: Lease, executionId: string): Promise<void> {
  await setClaim(db, lease, executionId, { claimedAt: null });
}

async function setClaim(
  db: Db,
  lease: Lease,
  executionId: string,
  values: { claimedAt: SQL | null; logBase?: number },
  condition?: SQL,
): Promise<{ logBase: number } | null> {
  return await db.transaction(async (tx) => {
    await holdLease(tx, lease);
    const [claimed] = await tx
      .update(executions)
      .set(values)
      .where(and(isOnHost(lease, executionId, "pulling"), condition))
      .returning({ logBase: executions.logBase });
    return claimed ?? null;
  });
}

/**
 * Writes that the container runs. May be repeated, since the answer to a commit can be lost: then
 * the first time stands.
 *
 * @returns How long it may still run, in milliseconds, below 0 when its time is over; `null` when the
 *   container does not run for the execution: that has ended, or is elsewhere.
 */
export async function markRunning(
  db: Db,
  lease: Lease,
  executionId: string,
  containerId: string,
): Promise<{ remainingMs: number } | null> {
  return await db.transaction(async (tx) => {
    await holdLease(tx, lease);
    const [marked] = await tx
      .update(executions)
      .set({
        status: "running",
        containerId,
        claimedAt: sql`coalesce(claimed_at, now())`,
        startedAt: sql`coalesce(started_at, now())`,
        deadlineAt: sql`coalesce(deadline_at, now() + make_interval(secs => timeout_seconds))`,
      })
      .where(
        or(
          isOnHost(lease, executionId, "pulling"),
          and(isOnHost(lease, executionId, "running"), eq(executions.containerId, containerId)),
        ),
      )
      .returning({
        id: executions.id,
        jobId: executions.jobId,
        taskId: executions.taskId,
        pool: executions.pool,
        isFirst: sql<boolean>`started_at = now()`,
        remainingMs: sql<number>`extract(epoch FROM deadline_at - clock_timestamp())::float8 * 1000`,
      });
    if (marked === undefined) return null;
    await tell(tx, [{ executionId, event: "starts" }]);
    const { remainingMs, isFirst, ...ids } = marked;
    if (isFirst) note(tx, { kind: "started", host: lease.host, ...ids });
    return { remainingMs };
  });
}

function isOnHost(lease: Lease, executionId: string, status: "pulling" | "running") {
  return and(
    eq(executions.id, executionId),
    eq(executions.host, lease.host),
    eq(executions.status, status),
  );
}
