import { eq, sql } from "drizzle-orm";
import { eventsOfEnd } from "../core/events.ts";
import { retryDelayMs } from "../core/retry.ts";
import { parseTraceparent } from "../core/trace-context.ts";
import { enqueue } from "../queue/enqueue.ts";
import type { Tx } from "../store/connect.ts";
import { note } from "../store/deeds.ts";
import { insertExecutions } from "../store/executions.ts";
import { recordLogSizes } from "../store/log-sizes.ts";
import { notifyOfExecutions } from "../store/notify.ts";
import { type ExecutionRow, executions, jobs } from "../store/schema.ts";
import { executionOf } from "./job-plan.ts";
import { tell } from "./tell.ts";

/** What must be known of an execution that has just ended: give this to `returning`. */
export const ENDED = {
  id: executions.id,
  jobId: executions.jobId,
  taskId: executions.taskId,
  pool: executions.pool,
  host: executions.host,
  status: executions.status,
  exitCode: executions.exitCode,
  failureCause: executions.failureCause,
  concurrencyKey: executions.concurrencyKey,
  retry: executions.retry,
  tickAt: executions.tickAt,
  afterPrevious: executions.afterPrevious,
  logDay: executions.logDay,
  message: executions.message,
  logHasGap: executions.logHasGap,
  ranSeconds: sql<number | null>`extract(epoch FROM finished_at - started_at)::float8`,
  wholeSeconds: sql<number>`extract(epoch FROM finished_at - created_at)::float8`,
  traceparent: executions.traceparent,
  // Those of the transaction and of the statement, by Postgres' clock as all that is in the row.
  endFrom: sql<Date>`now()`.mapWith(executions.createdAt),
  endTo: sql<Date>`clock_timestamp()`.mapWith(executions.createdAt),
};
export type Ended = Pick<ExecutionRow, keyof typeof ENDED & keyof ExecutionRow> & {
  ranSeconds: number | null;
  wholeSeconds: number;
  endFrom: Date;
  endTo: Date;
};

/**
 * What follows from the end of executions, in the transaction that writes it: the sizes of their
 * logs, retries, a dispatch for what the end makes room for, and word to those who wait for it.
 */
export async function followEnds(tx: Tx, ended: readonly Ended[]): Promise<void> {
  if (ended.length === 0) return;
  await recordLogSizes(tx, ended);
  for (const each of ended) await retryIfWorthIt(tx, each);
  await tell(
    tx,
    ended.flatMap(({ id, status }) =>
      eventsOfEnd(status).map((event) => ({ executionId: id, event })),
    ),
  );
  for (const pool of await poolsToServe(tx, ended)) await enqueue(tx, "dispatch", { pool });
  for (const each of ended) await traceIfWanted(tx, each);
  await notifyOfExecutions(
    tx,
    "ended",
    ended.map(({ id }) => id),
  );
  note(tx, ...ended.map((each) => ({ kind: "ended" as const, ...each })));
}

/** A retry is an execution of its own that waits in the rows; it takes the job's details of now. */
async function retryIfWorthIt(tx: Tx, ended: Ended): Promise<void> {
  if (ended.status !== "failed" && ended.status !== "timedout") return;
  const [job] = await tx.select().from(jobs).where(eq(jobs.id, ended.jobId));
  if (job === undefined) return;
  const end = { ...ended, status: ended.status };
  const delayMs = retryDelayMs(job.rules, end, ended.retry, Math.random());
  if (delayMs === null) return;
  const again = executionOf(job, ended.pool);
  await insertExecutions(tx, [
    {
      ...again,
      afterPrevious: ended.afterPrevious,
      retry: ended.retry + 1,
      retryOf: ended.id,
      delayMs,
      ...(ended.tickAt === null ? {} : { tickAt: ended.tickAt }),
    },
  ]);
  await enqueue(tx, "dispatch", { pool: ended.pool }, delayMs);
}

/** A message, so that it is told once, by whichever node: it may be the API that wrote the end. */
async function traceIfWanted(tx: Tx, { id, traceparent, endFrom, endTo }: Ended): Promise<void> {
  if (traceparent === null || !parseTraceparent(traceparent)?.isSampled) return;
  const message = { executionId: id, from: endFrom.toISOString(), to: endTo.toISOString() };
  await enqueue(tx, "trace", message);
}

/**
 * The pools in which something waits that may start now. What begins to wait later has a message
 * of its own, so none is needed where nothing waits yet.
 */
async function poolsToServe(tx: Tx, ended: readonly Ended[]): Promise<string[]> {
  const pools = [...new Set(ended.map(({ pool }) => pool))];
  const keys = [...new Set(ended.flatMap(({ concurrencyKey }) => concurrencyKey ?? []))];
  const rows = await tx.execute<{ pool: string }>(sql`
    SELECT ended.pool FROM jsonb_array_elements_text(${JSON.stringify(pools)}::jsonb) AS ended (pool)
    WHERE EXISTS (
      SELECT FROM fastlane.executions WHERE executions.pool = ended.pool AND status = 'enqueued'
    )
    UNION
    SELECT executions.pool FROM fastlane.executions
    WHERE status = 'enqueued' AND concurrency_key IN (
      SELECT * FROM jsonb_array_elements_text(${JSON.stringify(keys)}::jsonb)
    )`);
  return rows.map(({ pool }) => pool);
}
