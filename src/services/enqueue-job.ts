import { AppError } from "../core/errors.ts";
import { type PoolRule, poolOf } from "../core/pool.ts";
import { containerRequestOf, type JobPayload } from "../payload/job-payload.ts";
import { enqueue } from "../queue/enqueue.ts";
import type { Db } from "../store/connect.ts";
import { insertExecution } from "../store/executions.ts";
import { insertJob } from "../store/jobs.ts";
import { touchTask } from "../store/tasks.ts";

export interface EnqueueInput {
  taskId: string;
  payload: JobPayload;
  requestIp: string | null;
}

export interface Enqueued {
  jobId: string;
  executionId: string;
  messageId: number;
}

/**
 * Makes a job with its first execution; the task too when it is new. All of it or nothing.
 *
 * @throws {AppError} `no_pool` when no pool of the configuration fits the task.
 */
export async function enqueueJob(
  deps: { db: Db; pools: readonly PoolRule[] },
  { taskId, payload, requestIp }: EnqueueInput,
): Promise<Enqueued> {
  const pool = poolOf(deps.pools, taskId);
  if (pool === null) {
    throw new AppError(
      "no_pool",
      `Cannot enqueue: no pool of dockerHosts matches task "${taskId}"`,
    );
  }
  const jobId = crypto.randomUUID();
  const executionId = crypto.randomUUID();
  const request = containerRequestOf(payload);
  const { priority } = payload;
  const messageId = await deps.db.transaction(async (tx) => {
    const [queueMessageId] = await Promise.all([
      enqueue(tx, "dispatch", { pool: pool.match }),
      touchTask(tx, taskId),
    ]);
    const common = { taskId, request, priority, requestIp };
    // One after the other: of statements sent together the driver may carry out the second first.
    await insertJob(tx, { ...common, id: jobId, custom: payload.metadata, queueMessageId });
    await insertExecution(tx, { ...common, id: executionId, jobId, pool: pool.match });
    return queueMessageId;
  });
  return { jobId, executionId, messageId };
}
