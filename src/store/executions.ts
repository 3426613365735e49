import { and, asc, count, desc, eq, inArray, isNotNull } from "drizzle-orm";
import type { Db, Tx } from "./connect.ts";
import { type ExecutionRow, executions, jobs, tasks } from "./schema.ts";

export type NewExecution = Pick<
  typeof executions.$inferInsert,
  "id" | "jobId" | "taskId" | "pool" | "request" | "priority" | "requestIp"
>;

const ON_A_HOST = ["pulling", "running"] as const;

export async function insertExecution(tx: Tx, execution: NewExecution): Promise<void> {
  await tx.insert(executions).values(execution);
}

export async function findExecution(
  db: Db,
  taskId: string,
  jobId: string,
  executionId: string,
): Promise<ExecutionRow | null> {
  const [row] = await db
    .select()
    .from(executions)
    .where(
      and(
        eq(executions.id, executionId),
        eq(executions.jobId, jobId),
        eq(executions.taskId, taskId),
      ),
    );
  return row ?? null;
}

/** The newest executions of a job, newest first. */
export async function lastExecutions(
  db: Db,
  jobId: string,
  limit: number,
): Promise<ExecutionRow[]> {
  return await db
    .select()
    .from(executions)
    .where(eq(executions.jobId, jobId))
    .orderBy(desc(executions.createdAt), asc(executions.id))
    .limit(limit);
}

export async function countExecutions(db: Db, jobId: string): Promise<number> {
  const [row] = await db
    .select({ total: count() })
    .from(executions)
    .where(eq(executions.jobId, jobId));
  return row?.total ?? 0;
}

/** What has been given to a host and has not ended: its owner sees to each of them. */
export async function executionsOnHost(db: Db, host: string): Promise<ExecutionRow[]> {
  return await db
    .select()
    .from(executions)
    .where(and(eq(executions.host, host), inArray(executions.status, [...ON_A_HOST])))
    .orderBy(asc(executions.createdAt), asc(executions.id));
}

/** The pools in which something waits. */
export async function poolsWithWaiting(db: Db): Promise<string[]> {
  const rows = await db
    .selectDistinct({ pool: executions.pool })
    .from(executions)
    .where(eq(executions.status, "enqueued"));
  return rows.map(({ pool }) => pool);
}

export interface RunningContainer {
  taskId: string;
  jobId: string;
  executionId: string;
  containerId: string | null;
  host: string | null;
}

/** The counts and lists of `/status/`. */
export async function farmCounts(
  db: Db,
): Promise<{ tasks: number; jobs: number; waiting: number; running: RunningContainer[] }> {
  const [taskCount, jobCount, waiting, running] = await Promise.all([
    db.select({ total: count() }).from(tasks),
    db.select({ total: count() }).from(jobs),
    db.select({ total: count() }).from(executions).where(eq(executions.status, "enqueued")),
    db
      .select({
        taskId: executions.taskId,
        jobId: executions.jobId,
        executionId: executions.id,
        containerId: executions.containerId,
        host: executions.host,
      })
      .from(executions)
      .where(and(eq(executions.status, "running"), isNotNull(executions.containerId)))
      .orderBy(asc(executions.startedAt)),
  ]);
  return {
    tasks: taskCount[0]?.total ?? 0,
    jobs: jobCount[0]?.total ?? 0,
    waiting: waiting[0]?.total ?? 0,
    running,
  };
}
