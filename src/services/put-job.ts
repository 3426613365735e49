import { AppError } from "../core/errors.ts";
import { enqueue } from "../queue/enqueue.ts";
import { writeAudit } from "../store/audit.ts";
import type { Tx } from "../store/connect.ts";
import { insertExecutions } from "../store/executions.ts";
import { putJob as putJobRow } from "../store/jobs.ts";
import { deleteSchedule, insertSchedules } from "../store/schedules.ts";
import { touchTasks } from "../store/tasks.ts";
import { endSchedule } from "./end-schedule.ts";
import { type Enqueued, madeBy, scheduleOf } from "./enqueue-jobs.ts";
import { executionOf, type JobPlan } from "./job-plan.ts";

/**
 * Makes a job, or gives it new details and a new schedule in place of the old ones. What runs or
 * waits of it goes on as it was made; executions to come get the new details.
 *
 * @throws {AppError} `job_of_another_task`.
 */
export async function putJob(tx: Tx, plan: JobPlan): Promise<Enqueued> {
  const { job, pool, firstTick, trace } = plan;
  const [messageId] = await Promise.all([
    firstTick === null
      ? enqueue(tx, "dispatch", { pool })
      : enqueue(tx, "fire", { jobId: job.id }, firstTick),
    touchTasks(tx, [job.taskId]),
  ]);
  const isOurs = await putJobRow(tx, { ...job, queueMessageId: messageId });
  if (!isOurs) throw jobOfAnotherTask(job.id);
  await endSchedule(tx, job.id, "The schedule was replaced");
  await deleteSchedule(tx, job.id);
  const schedule = scheduleOf(plan, messageId);
  const execution = schedule === null ? executionOf(job, pool, trace) : null;
  if (schedule !== null) await insertSchedules(tx, [schedule]);
  if (execution !== null) await insertExecutions(tx, [execution]);
  await writeAudit(tx, madeBy("put", plan, execution));
  return { jobId: job.id, executionId: execution?.id ?? null, messageId, pool };
}

export function jobOfAnotherTask(jobId: string): AppError {
  return new AppError("job_of_another_task", `Job "${jobId}" is there, in another task`);
}
