import { and, asc, inArray, type SQL, sql } from "drizzle-orm";
import type { ActBy, AuditDetails } from "../core/audit.ts";
import { writeAudit } from "../store/audit.ts";
import type { Db, Tx } from "../store/connect.ts";
import { lastExecutions, OPEN } from "../store/executions.ts";
import { notify } from "../store/notify.ts";
import { markCanceled } from "../store/schedules.ts";
import { executions, type JobRow } from "../store/schema.ts";
import { endSchedule } from "./end-schedule.ts";
import { ENDED, followEnds } from "./follow-end.ts";

/** How often a newer execution may turn up while the last one is being stopped. */
const MOST_SUCCESSORS = 10;

/** What had not ended when it was to be stopped. */
interface Stopped {
  id: string;
  jobId: string;
  taskId: string;
  /** Whether somebody had asked for that before. */
  wasAsked: boolean;
}

/**
 * Stops executions in whatever state they are. One of which no container can have been started
 * ends at once; of the others the row says that they are to be stopped, and the owner of their host
 * does it. What has ended is left as it is.
 *
 * @returns Those that had not ended.
 */
export async function stopExecutions(tx: Tx, ids: readonly string[]): Promise<Stopped[]> {
  if (ids.length === 0) return [];
  const unstarted = sql`(status = 'enqueued' OR (status = 'pulling' AND claimed_at IS NULL))`;
  const whenUnstarted = (value: SQL, otherwise: SQL) =>
    sql`CASE WHEN ${unstarted} THEN ${value} ELSE ${otherwise} END`;
  const asked = await lockInOrder(tx, ids);
  const stopped = await tx
    .update(executions)
    .set({
      status: whenUnstarted(sql`'stopped'`, sql`status`),
      failureCause: whenUnstarted(sql`'stopped'`, sql`failure_cause`),
      finishedAt: whenUnstarted(sql`now()`, sql`finished_at`),
      stopRequestedAt: sql`coalesce(stop_requested_at, now())`,
    })
    .where(and(inArray(executions.id, [...ids]), inArray(executions.status, [...OPEN])))
    .returning({ ...ENDED, taskId: executions.taskId });
  await followEnds(
    tx,
    stopped.filter(({ status }) => status === "stopped"),
  );
  for (const host of new Set(stopped.flatMap((row) => row.host ?? []))) {
    await notify(tx, { about: "host", host });
  }
  return stopped.map(({ id, jobId, taskId }) => ({ id, jobId, taskId, wasAsked: asked.has(id) }));
}

/**
 * Whoever changes several executions at once locks them in one order, and so waits for no one twice.
 *
 * @returns The ids of those that are to be stopped already.
 */
async function lockInOrder(tx: Tx, ids: readonly string[]): Promise<Set<string>> {
  const rows = await tx
    .select({ id: executions.id, askedAt: executions.stopRequestedAt })
    .from(executions)
    .where(inArray(executions.id, [...ids]))
    .orderBy(asc(executions.id))
    .for("update");
  return new Set(rows.flatMap(({ id, askedAt }) => (askedAt === null ? [] : [id])));
}

/** Keeps by whom executions are stopped: a row for each, so that a job's own tells who it was. */
export async function writeStops(tx: Tx, by: ActBy, stopped: readonly Stopped[]): Promise<void> {
  const entries = stopped
    .filter(({ wasAsked }) => !wasAsked)
    .map(({ id, jobId, taskId }) => ({ task: taskId, job: jobId, execution: id }));
  await writeAudit(tx, ...entries.map((about) => ({ by, action: "stop" as const, ...about })));
}

/** Stops one execution; nothing else of its job. */
export async function stopExecution(db: Db, executionId: string, by: ActBy): Promise<void> {
  await db.transaction(async (tx) => {
    await writeStops(tx, by, await stopExecutions(tx, [executionId]));
  });
}

/** Stops a job: no tick of its schedule comes any more, and its last execution is stopped. */
export async function stopJob(
  db: Db,
  { id, taskId }: Pick<JobRow, "id" | "taskId">,
  by: ActBy,
): Promise<void> {
  await db.transaction(async (tx) => {
    const hadSchedule = await endSchedule(tx, id, "The job was stopped");
    if (hadSchedule) await markCanceled(tx, id);
    const execution = await stopLastExecution(tx, id);
    if (!hadSchedule && execution === null) return;
    const details: AuditDetails = hadSchedule ? { schedule: true } : {};
    await writeAudit(tx, { by, action: "stop", task: taskId, job: id, execution, details });
  });
}

/**
 * An execution that ends just now may have left a retry, which is then the last one.
 *
 * @returns The one that this stops; `null` where nothing was left to stop, or somebody had before.
 */
export async function stopLastExecution(tx: Tx, jobId: string): Promise<string | null> {
  let seen: string | undefined;
  for (let turn = 0; turn < MOST_SUCCESSORS; turn++) {
    const [last] = await lastExecutions(tx, jobId, 1);
    if (last === undefined || last.id === seen) return null;
    const [stopped] = await stopExecutions(tx, [last.id]);
    if (stopped !== undefined) return stopped.wasAsked ? null : stopped.id;
    seen = last.id;
  }
  return null;
}
