import type { ActBy } from "../core/audit.ts";
import { AppError } from "../core/errors.ts";
import type { PoolRule } from "../core/pool.ts";
import type { Db } from "../store/connect.ts";
import {
  type ExecutionFilter,
  type ListCursor,
  type ListedRow,
  listExecutions,
} from "../store/execution-lists.ts";
import { isOpen, OPEN } from "../store/executions.ts";
import { findJobById } from "../store/jobs.ts";
import { requireRetryable, retryJob } from "./retry-job.ts";
import { stopExecutions, writeStops } from "./stop-execution.ts";

/** What is done to many executions at once is done to so many at most. */
const MOST = 1_000;

export interface ManyAsked {
  filter: ExecutionFilter;
  /** Behind which execution to go on; `null` is the newest. */
  cursor: ListCursor | null;
  /** Only tell which. */
  dryRun: boolean;
}

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
  /** Where the rest of them begins; `null` when there is none. */
  next: ListCursor | null;
}

/** Stops the executions that fit and have not ended. */
export async function stopMany(
  db: Db,
  { filter, cursor, dryRun }: ManyAsked,
  by: ActBy,
): Promise<Many> {
  return await db.transaction(async (tx) => {
    const statuses = (filter.statuses ?? OPEN).filter(isOpen);
    const { rows, next } = await listExecutions(
      tx,
      { ...filter, statuses },
      { cursor, limit: MOST },
    );
    const ids = rows.map(({ id }) => id);
    const stops = dryRun ? [] : await stopExecutions(tx, ids);
    await writeStops(tx, by, stops);
    const stopped = new Set(dryRun ? ids : stops.map(({ id }) => id));
    const executions = rows.filter(({ id }) => stopped.has(id)).map(oneOf);
    return { dryRun, count: executions.length, executions, skipped: [], next };
  });
}

/**
 * Retries the job of each execution that fits, once for each job, as its own retry would. Each is a
 * transaction of its own: nothing waits for all of them.
 */
export async function retryMany(
  db: Db,
  deps: { pools: readonly PoolRule[] },
  { filter, cursor, dryRun }: ManyAsked,
  by: ActBy,
): Promise<Many & { pools: string[] }> {
  const { rows, next } = await listExecutions(db, filter, { cursor, limit: MOST });
  const newest = new Map(rows.toReversed().map((row) => [row.jobId, row]));
  const executions: One[] = [];
  const skipped: Many["skipped"] = [];
  const pools = new Set<string>();
  for (const row of newest.values()) {
    try {
      const { pool, ...one } = await retryOne(db, deps, row, dryRun ? null : by);
      executions.push(one);
      pools.add(pool);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      skipped.push({ jobId: row.jobId, reason: error.message });
    }
  }
  return { dryRun, count: executions.length, executions, skipped, next, pools: [...pools] };
}

/**
 * @param by `null` only finds out whether it can be done.
 * @throws {AppError} If the job cannot be retried.
 */
async function retryOne(
  db: Db,
  deps: { pools: readonly PoolRule[] },
  row: ListedRow,
  by: ActBy | null,
): Promise<One & { pool: string }> {
  const job = await findJobById(db, row.jobId);
  if (job === null) throw new AppError("job_not_found", "The job is gone");
  if (by === null) return { ...oneOf(row), pool: (await requireRetryable(db, deps, job)).match };
  const { executionId, pool } = await retryJob(db, deps, job, by);
  return { ...oneOf(row), id: executionId ?? row.id, pool };
}

const oneOf = ({ id, jobId, taskId }: ListedRow): One => ({ id, jobId, taskId });
