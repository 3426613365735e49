import { asc, count, desc, eq, sql } from "drizzle-orm";
import type { Db, Tx } from "./connect.ts";
import { jobs, tasks } from "./schema.ts";

export interface TaskSummary {
  id: string;
  createdAt: Date;
  lastModifiedAt: Date;
  jobsCount: number;
}

export interface Page {
  /** From 1. */
  page: number;
  perPage: number;
}

/** Makes the task unless it is there; marks it as modified when it is. */
export async function touchTask(tx: Tx, taskId: string): Promise<void> {
  // Many requests for one task come at once: an update of its row would queue them all behind each
  // other, so the time is only written when it says something new.
  await tx.execute(sql`
    INSERT INTO fastlane.tasks (id) VALUES (${taskId})
    ON CONFLICT (id) DO UPDATE SET last_modified_at = now()
    WHERE tasks.last_modified_at < now() - interval '1 second'`);
}

export async function taskExists(db: Db, taskId: string): Promise<boolean> {
  const rows = await db.select({ id: tasks.id }).from(tasks).where(eq(tasks.id, taskId));
  return rows.length > 0;
}

/** The tasks of one page, oldest first, and how many there are in all. */
export async function listTasks(
  db: Db,
  { page, perPage }: Page,
): Promise<{ items: TaskSummary[]; total: number }> {
  const [{ total } = { total: 0 }] = await db.select({ total: count() }).from(tasks);
  const items = await db
    .select({
      id: tasks.id,
      createdAt: tasks.createdAt,
      lastModifiedAt: tasks.lastModifiedAt,
      jobsCount: sql<number>`(SELECT count(*) FROM fastlane.jobs WHERE jobs.task_id = tasks.id)::int`,
    })
    .from(tasks)
    .orderBy(asc(tasks.createdAt), asc(tasks.id))
    .limit(perPage)
    .offset((page - 1) * perPage);
  return { items, total };
}

/** The jobs of a task, newest first, a page of them. */
export async function listJobsOfTask(
  db: Db,
  taskId: string,
  { page, perPage }: Page,
): Promise<{ items: { id: string; createdAt: Date }[]; total: number }> {
  const ofTask = eq(jobs.taskId, taskId);
  const [{ total } = { total: 0 }] = await db.select({ total: count() }).from(jobs).where(ofTask);
  const items = await db
    .select({ id: jobs.id, createdAt: jobs.createdAt })
    .from(jobs)
    .where(ofTask)
    .orderBy(desc(jobs.createdAt), asc(jobs.id))
    .limit(perPage)
    .offset((page - 1) * perPage);
  return { items, total };
}
