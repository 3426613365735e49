import { and, asc, count, desc, eq, inArray, isNotNull, sql } from "drizzle-orm";
import type { Status } from "../core/status.ts";
import type { StoredRequest } from "../payload/sealed.ts";
import type { Db, Tx } from "./connect.ts";
import { type Deed, note } from "./deeds.ts";
import { type ExecutionRow, executions, jobs, tasks } from "./schema.ts";

export interface NewExecution {
  id: string;
  jobId: string;
  taskId: string;
  pool: string;
  request: StoredRequest;
  priority: number;
  requestIp: string | null;
  timeoutSeconds: number;
  /** ISO 8601. */
  expiresAt: string | null;
  concurrencyKey: string | null;
  concurrencyLimit: number | null;
  onHostLost: "fail" | "rerun";
  /** See the column; `false` when absent. */
  afterPrevious?: boolean;
  tickAt?: Date;
  retry?: number;
  retryOf?: string;
  /** How long it waits before it may start, in milliseconds. */
  delayMs?: number;
  traceparent: string | null;
  tracestate: string | null;
  tracedFrom: Date | null;
}

const ON_A_HOST = ["pulling", "running"] as const;
/** The states of what has not ended. */
export const OPEN = ["enqueued", ...ON_A_HOST] as const;

/** What holds of an execution that is given back to the waiting line, whatever had become of it. */
export const WAITING_AGAIN = {
  status: "enqueued",
  host: null,
  claimedAt: null,
  containerId: null,
} as const;

export function isOpen(status: Status): status is (typeof OPEN)[number] {
  return OPEN.some((open) => open === status);
}

/** In their order: of those made in one transaction an earlier one counts as older. */
export async function insertExecutions(
  tx: Tx,
  newExecutions: readonly NewExecution[],
): Promise<void> {
  if (newExecutions.length === 0) return;
  await tx.execute(sql`
    INSERT INTO fastlane.executions (
      id, job_id, task_id, pool, request, priority, request_ip, timeout_seconds, expires_at,
      concurrency_key, concurrency_limit, on_host_lost, after_previous, tick_at, retry, retry_of, available_at,
      created_at, traceparent, tracestate, traced_from
    )
    SELECT x.id, x."jobId", x."taskId", x.pool, x.request, x.priority, x."requestIp",
      x."timeoutSeconds", x."expiresAt", x."concurrencyKey", x."concurrencyLimit",
      x."onHostLost", coalesce(x."afterPrevious", false), x."tickAt", coalesce(x.retry, 0), x."retryOf",
      now() + coalesce(x."delayMs", 0) * interval '1 millisecond',
      now() + (row_number() OVER ()) * interval '1 microsecond',
      x.traceparent, x.tracestate, x."tracedFrom"
    FROM jsonb_to_recordset(${JSON.stringify(newExecutions)}::jsonb) AS x (
      id uuid, "jobId" uuid, "taskId" text, pool text, request jsonb, priority smallint,
      "requestIp" text, "timeoutSeconds" int, "expiresAt" timestamptz, "concurrencyKey" text,
      "concurrencyLimit" int, "onHostLost" text, "afterPrevious" boolean, "tickAt" timestamptz, retry int,
      "retryOf" uuid, "delayMs" float8, traceparent text, tracestate text, "tracedFrom" timestamptz
    )`);
  note(tx, ...newExecutions.map(deedOf));
}

/** What is told of an execution when it is there. */
export function deedOf({ id, jobId, taskId, pool, tickAt, retryOf }: NewExecution): Deed {
  const origin = retryOf !== undefined ? "retry" : tickAt !== undefined ? "schedule" : "request";
  return { kind: "enqueued", id, jobId, taskId, pool, origin };
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

export async function findExecutionById(
  db: Db | Tx,
  executionId: string,
): Promise<ExecutionRow | null> {
  const [row] = await db.select().from(executions).where(eq(executions.id, executionId));
  return row ?? null;
}

/** The execution by which one was retried. */
export async function successorOf(
  db: Db,
  { id, jobId }: Pick<ExecutionRow, "id" | "jobId">,
): Promise<{ id: string; retry: number } | null> {
  const [row] = await db
    .select({ id: executions.id, retry: executions.retry })
    .from(executions)
    .where(and(eq(executions.jobId, jobId), eq(executions.retryOf, id)));
  return row ?? null;
}

/** The newest executions of a job, newest first. */
export async function lastExecutions(
  db: Db | Tx,
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

/** The ids of what has not ended of a job, oldest first. */
export async function openExecutions(tx: Tx, jobId: string): Promise<string[]> {
  const rows = await tx
    .select({ id: executions.id })
    .from(executions)
    .where(and(eq(executions.jobId, jobId), inArray(executions.status, [...OPEN])))
    .orderBy(asc(executions.createdAt), asc(executions.id));
  return rows.map(({ id }) => id);
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

export interface RunningContainer {
  taskId: string;
  jobId: string;
  executionId: string;
  containerId: string | null;
  host: string | null;
}

/**
 * The counts and lists of `/status/`.
 *
 * @param taskMatch A regular expression on the ids of the tasks that are listed; `null` is all.
 */
export async function farmCounts(
  db: Db,
  taskMatch: string | null,
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
      .where(
        and(
          eq(executions.status, "running"),
          isNotNull(executions.containerId),
          taskMatch === null ? undefined : sql`${executions.taskId} ~ ${taskMatch}`,
        ),
      )
      .orderBy(asc(executions.startedAt)),
  ]);
  return {
    tasks: taskCount[0]?.total ?? 0,
    jobs: jobCount[0]?.total ?? 0,
    waiting: waiting[0]?.total ?? 0,
    running,
  };
}
