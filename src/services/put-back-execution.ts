import { and, eq, isNotNull, sql } from "drizzle-orm";
import { backoffMs } from "../core/backoff.ts";
import { enqueue } from "../queue/enqueue.ts";
import type { Db } from "../store/connect.ts";
import { WAITING_AGAIN } from "../store/executions.ts";
import { holdLease, type Lease } from "../store/hosts.ts";
import { executions } from "../store/schema.ts";
import { ENDED, followEnds } from "./follow-end.ts";

const BACKOFF = { minMs: 1_000, factor: 2, maxMs: 60_000 };

/**
 * Puts an execution that could not begin, by no fault of its job, back into the waiting line. It
 * does not count against the job's retries. One that is to be stopped ends instead.
 *
 * @param fault What was wrong, in Docker's or the registry's words; where it was the host that was
 *   at fault, the execution goes to another one if there is any.
 */
export async function putBackExecution(
  db: Db,
  lease: Lease,
  execution: { id: string; placements: number },
  fault: { message: string; isOfHost: boolean },
): Promise<void> {
  const delayMs = backoffMs(BACKOFF, execution.placements, Math.random());
  const isOnHost = and(
    eq(executions.id, execution.id),
    eq(executions.host, lease.host),
    eq(executions.status, "pulling"),
  );
  await db.transaction(async (tx) => {
    await holdLease(tx, lease);
    const stopped = await tx
      .update(executions)
      .set({ status: "stopped", failureCause: "stopped", finishedAt: sql`now()` })
      .where(and(isOnHost, isNotNull(executions.stopRequestedAt)))
      .returning(ENDED);
    await followEnds(tx, stopped);
    const [row] = await tx
      .update(executions)
      .set({
        ...WAITING_AGAIN,
        lastFault: fault.message,
        avoidsHost: fault.isOfHost ? lease.host : null,
        availableAt: sql`now() + make_interval(secs => ${delayMs / 1000})`,
      })
      .where(isOnHost)
      .returning({ pool: executions.pool });
    if (row !== undefined) await enqueue(tx, "dispatch", { pool: row.pool }, delayMs);
  });
}
