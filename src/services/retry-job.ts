import type { ActBy } from "../core/audit.ts";
import { AppError } from "../core/errors.ts";
import { type PoolRule, poolOf } from "../core/pool.ts";
import { enqueue } from "../queue/enqueue.ts";
import { writeAudit } from "../store/audit.ts";
import type { Db, Tx } from "../store/connect.ts";
import { insertExecutions, lastExecutions } from "../store/executions.ts";
import { findSchedule } from "../store/schedules.ts";
import type { JobRow } from "../store/schema.ts";
import { touchTasks } from "../store/tasks.ts";
import type { Enqueued } from "./enqueue-jobs.ts";
import { executionOf, requireAllowed } from "./job-plan.ts";
import { stopLastExecution } from "./stop-execution.ts";
import type { TraceOrigin } from "./trace-origin.ts";

/**
 * Makes a new execution of a job, with the job's details. One that has not ended is stopped first,
 * and the new one waits until it has ended.
 *
 * @throws {AppError} `nothing_to_retry`, `job_is_scheduled`, `no_pool` or `payload_not_allowed`.
 */
export async function retryJob(
  db: Db,
  { pools }: { pools: readonly PoolRule[] },
  job: JobRow,
  by: ActBy,
  trace: TraceOrigin | null = null,
): Promise<Enqueued> {
  return await db.transaction(async (tx) => {
    const pool = await requireRetryable(tx, { pools }, job);
    const stopped = await stopLastExecution(tx, job.id);
    const messageId = await enqueue(tx, "dispatch", { pool: pool.match });
    await touchTasks(tx, [job.taskId]);
    const execution = executionOf(job, pool.match, trace);
    await insertExecutions(tx, [{ ...execution, afterPrevious: true }]);
    await writeAudit(tx, {
      by,
      action: "retry",
      task: job.taskId,
      job: job.id,
      execution: execution.id,
      details: stopped === null ? {} : { stopped },
    });
    return { jobId: job.id, executionId: execution.id, messageId, pool: pool.match };
  });
}

/**
 * Whether a job can be retried.
 *
 * @returns The pool that a retry would run in.
 * @throws {AppError} `nothing_to_retry`, `job_is_scheduled`, `no_pool` or `payload_not_allowed`.
 */
export async function requireRetryable(
  db: Db | Tx,
  { pools }: { pools: readonly PoolRule[] },
  job: Pick<JobRow, "id" | "taskId" | "request">,
): Promise<PoolRule> {
  const [[last], schedule] = await Promise.all([
    lastExecutions(db, job.id, 1),
    findSchedule(db, job.id),
  ]);
  if (schedule?.nextAt != null) {
    throw new AppError("job_is_scheduled", "Can't retry a scheduled job.");
  }
  if (last === undefined) throw new AppError("nothing_to_retry", "No execution yet to retry.");
  const pool = poolOf(pools, job.taskId);
  if (pool === null) {
    throw new AppError("no_pool", `Cannot retry: no pool of dockerHosts matches "${job.taskId}"`);
  }
  requireAllowed(pool, job.request, "Cannot retry");
  return pool;
}
