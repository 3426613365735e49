import { and, eq, sql } from "drizzle-orm";
import type { Db, Tx } from "./connect.ts";
import { type JobRow, jobs } from "./schema.ts";

export type NewJob = Pick<
  JobRow,
  | "id"
  | "taskId"
  | "request"
  | "rules"
  | "priority"
  | "custom"
  | "queueMessageId"
  | "requestIp"
  | "traceparent"
>;

/** In their order: of those made in one transaction an earlier one counts as older. */
export async function insertJobs(tx: Tx, newJobs: readonly NewJob[]): Promise<void> {
  await tx.execute(sql`
    INSERT INTO fastlane.jobs (
      id, task_id, request, rules, priority, custom, queue_message_id, request_ip, traceparent,
      created_at
    )
    SELECT x.id, x."taskId", x.request, x.rules, x.priority, x.custom, x."queueMessageId",
      x."requestIp", x.traceparent, now() + (row_number() OVER ()) * interval '1 microsecond'
    FROM jsonb_to_recordset(${JSON.stringify(newJobs)}::jsonb) AS x (
      id uuid, "taskId" text, request jsonb, rules jsonb, priority smallint, custom jsonb,
      "queueMessageId" bigint, "requestIp" text, traceparent text
    )`);
}

/** Makes the job, or gives it new details when it is there. @returns `false` if it is of another task. */
export async function putJob(tx: Tx, job: NewJob): Promise<boolean> {
  const { id, taskId, ...details } = job;
  const rows = await tx
    .insert(jobs)
    .values(job)
    .onConflictDoUpdate({
      target: jobs.id,
      set: { ...details, lastModifiedAt: sql`now()` },
      setWhere: eq(jobs.taskId, taskId),
    })
    .returning({ id: jobs.id });
  return rows.length > 0;
}

export async function findJob(db: Db, taskId: string, jobId: string): Promise<JobRow | null> {
  const [job] = await db
    .select()
    .from(jobs)
    .where(and(eq(jobs.id, jobId), eq(jobs.taskId, taskId)));
  return job ?? null;
}

export async function findJobById(db: Db | Tx, jobId: string): Promise<JobRow | null> {
  const [job] = await db.select().from(jobs).where(eq(jobs.id, jobId));
  return job ?? null;
}
