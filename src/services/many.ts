import { AppError } from "../core/errors.ts";
import type { PoolRule } from "../core/pool.ts";
import type { Db, Tx } from "../store/connect.ts";
import { type ExecutionFilter, type ListedRow, listExecutions } from "../store/execution-lists.ts";
import { isOpen, OPEN } from "../store/executions.ts";
import { findJobById } from "../store/jobs.ts";
import { requireRetryable, retryJob } from "./retry-job.ts";
import { stopExecutions } from "./stop-execution.ts";

/** What is done to many executions at once is done to so many at most. */
const MOST = 1_000;

interface One {
  id: string;
  jobId: string;
  taskId: string;
}

export interface Many {
  dryRun: boolean;
  count: number;
  /** Those it was done to, or would be; for a retry the new ones, once there are any. */
  executions: One[];
  skipped: { jobId: string; reason: string }[];
  /** More fit than can be done at once. */
  hasMore: boolean;
}

/** Stops the executions that fit and have not ended. */
export async function stopMany(db: Db, filter: ExecutionFilter, dryRun: boolean): Promise<Many> {
  return await db.transaction(async (tx) => {
    const statuses = (filter.statuses ?? OPEN).filter(isOpen);
    const { rows, next } = await listExecutions(
      tx,
      { ...filter, statuses },
      { cursor: null, limit: MOST },
    );
    const stopped = dryRun
      ? rows.map(({ id }) => id)
      : await stopExecutions(
          tx,
          rows.map(({ id }) => id),
        );
    const executions = rows.filter(({ id }) => stopped.includes(id)).map(oneOf);
    return { dryRun, count: executions.length, executions, skipped: [], hasMore: next !== null };
  });
}

/** Retries the job of each execution that fits, once for each job, as its own retry would. */
export async function retryMany(
  db: Db,
  deps: { pools: readonly PoolRule[] },
  filter: ExecutionFilter,
  dryRun: boolean,
): Promise<Many & { pools: string[] }> {
  return await db.transaction(async (tx) => {
    const { rows, next } = await listExecutions(tx, filter, { cursor: null, limit: MOST });
    const newest = [...new Map(rows.toReversed().map((row) => [row.jobId, row])).values()];
    const many: Many & { pools: string[] } = {
      dryRun,
      count: 0,
      executions: [],
      skipped: [],
      hasMore: next !== null,
      pools: [],
    };
    for (const row of newest) {
      const retried = await retryOne(tx, deps, row, dryRun);
      if ("reason" in retried) many.skipped.push(retried);
      else {
        many.executions.push(retried.one);
        many.pools.push(retried.pool);
      }
    }
    return { ...many, count: many.executions.length, pools: [...new Set(many.pools)] };
  });
}

async function retryOne(
  tx: Tx,
  deps: { pools: readonly PoolRule[] },
  row: ListedRow,
  dryRun: boolean,
): Promise<{ one: One; pool: string } | { jobId: string; reason: string }> {
  const { jobId, taskId } = row;
  const job = await findJobById(tx, jobId);
  try {
    if (job === null) throw new AppError("job_not_found", "The job is gone");
    if (dryRun) {
      const { match } = await requireRetryable(tx, deps, job);
      return { one: { id: row.id, jobId, taskId }, pool: match };
    }
    const { executionId, pool } = await retryJob(tx, deps, job);
    return { one: { id: executionId ?? row.id, jobId, taskId }, pool };
  } catch (error) {
    if (error instanceof AppError) return { jobId, reason: error.message };
    throw error;
  }
}

const oneOf = ({ id, jobId, taskId }: ListedRow): One => ({ id, jobId, taskId });
