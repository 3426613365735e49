import { and, asc, inArray, type SQL, sql } from "drizzle-orm";
import type { Db, Tx } from "../store/connect.ts";
import { lastExecutions, OPEN } from "../store/executions.ts";
import { notify } from "../store/notify.ts";
import { markCanceled } from "../store/schedules.ts";
import { executions } from "../store/schema.ts";
import { endSchedule } from "./end-schedule.ts";
import { ENDED, followEnds } from "./follow-end.ts";

/** How often a newer execution may turn up while the last one is being stopped. */
const MOST_SUCCESSORS = 10;

/**
 * Stops executions in whatever state they are. One of which no container can have been started
 * ends at once; of the others the row says that they are to be stopped, and the owner of their host
 * does it. What has ended is left as it is.
 *
 * @returns The ids of those that had not ended.
 */
export async function stopExecutions(tx: Tx, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const unstarted = sql`(status = 'enqueued' OR (status = 'pulling' AND claimed_at IS NULL))`;
  const whenUnstarted = (value: SQL, otherwise: SQL) =>
    sql`CASE WHEN ${unstarted} THEN ${value} ELSE ${otherwise} END`;
  await lockInOrder(tx, ids);
  const stopped = await tx
    .update(executions)
    .set({
      status: whenUnstarted(sql`'stopped'`, sql`status`),
      failureCause: whenUnstarted(sql`'stopped'`, sql`failure_cause`),
      finishedAt: whenUnstarted(sql`now()`, sql`finished_at`),
      stopRequestedAt: sql`coalesce(stop_requested_at, now())`,
    })
    .where(and(inArray(executions.id, [...ids]), inArray(executions.status, [...OPEN])))
    .returning(ENDED);
  await followEnds(
    tx,
    stopped.filter(({ status }) => status === "stopped"),
  );
  for (const host of new Set(stopped.flatMap((row) => row.host ?? []))) {
    await notify(tx, { about: "host", host });
  }
  return stopped.map(({ id }) => id);
}

/** Whoever changes several executions at once locks them in one order, and so waits for no one twice. */
async function lockInOrder(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx
    .select({ id: executions.id })
    .from(executions)
    .where(inArray(executions.id, [...ids]))
    .orderBy(asc(executions.id))
    .for("update");
}

/** Stops one execution; nothing else of its job. */
export async function stopExecution(db: Db, executionId: string): Promise<void> {
  await db.transaction((tx) => stopExecutions(tx, [executionId]));
}

/** Stops a job: no tick of its schedule comes any more, and its last execution is stopped. */
export async function stopJob(db: Db, jobId: string): Promise<void> {
  await db.transaction(async (tx) => {
    if (await endSchedule(tx, jobId, "The job was stopped")) await markCanceled(tx, jobId);
    await stopLastExecution(tx, jobId);
  });
}

/** An execution that ends just now may have left a retry, which is then the last one. */
export async function stopLastExecution(tx: Tx, jobId: string): Promise<void> {
  let seen: string | undefined;
  for (let turn = 0; turn < MOST_SUCCESSORS; turn++) {
    const [last] = await lastExecutions(tx, jobId, 1);
    if (last === undefined || last.id === seen) return;
    const stopped = await stopExecutions(tx, [last.id]);
    if (stopped.length > 0) return;
    seen = last.id;
  }
}
