import type postgres from "postgres";
import type { AuditEntry } from "../core/audit.ts";
import { enqueue } from "../queue/enqueue.ts";
import type { SharedMessages } from "../queue/shared-messages.ts";
import { writeAudit } from "../store/audit.ts";
import type { Tx } from "../store/connect.ts";
import type { OnDeed } from "../store/deeds.ts";
import { deedOf, insertExecutions } from "../store/executions.ts";
import { insertJobs } from "../store/jobs.ts";
import { insertWork } from "../store/new-jobs.ts";
import { insertSchedules, type NewSchedule } from "../store/schedules.ts";
import { touchTasks } from "../store/tasks.ts";
import { executionOf, type JobPlan } from "./job-plan.ts";

export interface Enqueued {
  jobId: string;
  /** `null` when it will be made by the job's schedule. */
  executionId: string | null;
  messageId: number;
  pool: string;
  /** It was made by an earlier request with the same key. */
  isRepeat?: true;
}

/**
 * Makes jobs, each with its first execution or its schedule; their tasks too when they are new. All
 * of it or nothing. Jobs that begin at once share the message that has them dispatched.
 *
 * @returns What was made, in the order of the plans.
 */
export async function enqueueJobs(tx: Tx, plans: readonly JobPlan[]): Promise<Enqueued[]> {
  const [messages] = await Promise.all([
    sendMessages(tx, plans),
    touchTasks(
      tx,
      plans.map(({ job }) => job.taskId),
    ),
  ]);
  const made = plans.map((plan, index) => {
    const messageId = messages[index] ?? 0;
    const execution = plan.firstTick === null ? executionOf(plan.job, plan.pool, plan.trace) : null;
    return { plan, messageId, execution };
  });
  // One after the other: of statements sent together the driver may carry out the second first.
  await insertJobs(
    tx,
    made.map(({ plan, messageId }) => ({ ...plan.job, queueMessageId: messageId })),
  );
  await insertExecutions(
    tx,
    made.flatMap(({ execution }) => execution ?? []),
  );
  await insertSchedules(
    tx,
    made.flatMap(({ plan, messageId }) => scheduleOf(plan, messageId) ?? []),
  );
  await writeAudit(tx, ...made.map(({ plan, execution }) => madeBy("enqueue", plan, execution)));
  return made.map(({ plan, messageId, execution }) => ({
    jobId: plan.job.id,
    executionId: execution?.id ?? null,
    messageId,
    pool: plan.pool,
  }));
}

/** The same for jobs that all begin at once, in one statement. */
export async function enqueueAtOnce(
  sql: postgres.Sql,
  shared: SharedMessages,
  plans: readonly JobPlan[],
  onDeed: OnDeed,
): Promise<Enqueued[]> {
  const work = plans.map((plan) => {
    const execution = executionOf(plan.job, plan.pool, plan.trace);
    return { job: plan.job, execution, audit: madeBy("enqueue", plan, execution) };
  });
  const pools = [...new Set(plans.map(({ pool }) => pool))];
  const messages = await insertWork(sql, shared.select(sql, pools), work);
  shared.note(messages);
  for (const { execution } of work) onDeed(deedOf(execution));
  return work.map(({ job, execution }) => ({
    jobId: job.id,
    executionId: execution.id,
    messageId: messages.get(execution.pool) ?? 0,
    pool: execution.pool,
  }));
}

/** @returns The message of each plan: `dispatch` of its pool, or `fire` of its job's schedule. */
async function sendMessages(tx: Tx, plans: readonly JobPlan[]): Promise<number[]> {
  const dispatches = new Map<string, Promise<number>>();
  return await Promise.all(
    plans.map(({ job, pool, firstTick }) => {
      if (firstTick !== null) return enqueue(tx, "fire", { jobId: job.id }, firstTick);
      const sent = dispatches.get(pool) ?? enqueue(tx, "dispatch", { pool });
      dispatches.set(pool, sent);
      return sent;
    }),
  );
}

/** What the audit keeps of a job that somebody makes. */
export function madeBy(
  action: "enqueue" | "put",
  { job, firstTick, by }: JobPlan,
  execution: { id: string } | null,
): AuditEntry {
  const { id, taskId, request } = job;
  const details = { image: request.image, scheduled: firstTick !== null };
  return { by, action, task: taskId, job: id, execution: execution?.id ?? null, details };
}

/** The schedule of a job that does not begin at once. */
export function scheduleOf(
  { job, when, firstTick }: JobPlan,
  messageId: number,
): NewSchedule | null {
  if (firstTick === null) return null;
  const base = { jobId: job.id, nextAt: firstTick, messageId };
  if (when.kind === "cron") {
    const { cron, timezone, overlap, catchUp } = when;
    return { ...base, cron, timezone, overlap, catchUp };
  }
  return { ...base, cron: null, timezone: "UTC", overlap: "allow", catchUp: "none" };
}
