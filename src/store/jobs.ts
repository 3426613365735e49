import { and, eq } from "drizzle-orm";
import type { Db, Tx } from "./connect.ts";
import { type JobRow, jobs } from "./schema.ts";

export type NewJob = Pick<
  typeof jobs.$inferInsert,
  "id" | "taskId" | "request" | "priority" | "custom" | "queueMessageId" | "requestIp"
>;

export async function insertJob(tx: Tx, job: NewJob): Promise<void> {
  await tx.insert(jobs).values(job);
}

export async function findJob(db: Db, taskId: string, jobId: string): Promise<JobRow | null> {
  const [job] = await db
    .select()
    .from(jobs)
    .where(and(eq(jobs.id, jobId), eq(jobs.taskId, taskId)));
  return job ?? null;
}
