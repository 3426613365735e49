import { and, arrayContains, asc, count, desc, eq, sql } from "drizzle-orm";
import { wordsOf } from "../core/words.ts";
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

/** Makes the tasks that are not there; marks the others as modified. */
export async function touchTasks(tx: Tx, taskIds: readonly string[]): Promise<void> {
  // In one order, so that two transactions never wait for each other.
  const rows = [...new Set(taskIds)].sort().map((id) => ({ id, words: wordsOf(id) }));
  // Many requests for one task come at once. An insert waits for whoever is changing the row that it
  // meets, and would queue them all behind each other: so it is left out where the task is there,
  // and its time is not written where somebody else is just doing that.
  await tx.execute(sql`
    WITH wanted AS (
      SELECT id, words FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
        AS x (id text, words text[])
    ),
    modified AS (
      UPDATE fastlane.tasks SET last_modified_at = now()
      WHERE id IN (
        SELECT id FROM fastlane.tasks
        WHERE id IN (SELECT id FROM wanted) AND last_modified_at < now() - interval '1 second'
        ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
      )
    )
    INSERT INTO fastlane.tasks (id, words)
    SELECT id, words FROM wanted
    WHERE NOT EXISTS (SELECT FROM fastlane.tasks WHERE tasks.id = wanted.id)
    ON CONFLICT (id) DO NOTHING`);
}

export async function taskExists(db: Db, taskId: string): Promise<boolean> {
  const rows = await db.select({ id: tasks.id }).from(tasks).where(eq(tasks.id, taskId));
  return rows.length > 0;
}

/** Which tasks; what is absent does not narrow. */
interface TaskFilter {
  /** Their ids have all of these words. */
  words?: readonly string[];
  /** A regular expression that fits their ids; `null` narrows as little. */
  match?: string | null;
}

/** The tasks of one page, oldest first, and how many there are in all. */
export async function listTasks(
  db: Db,
  { page, perPage }: Page,
  { words = [], match = null }: TaskFilter = {},
): Promise<{ items: TaskSummary[]; total: number }> {
  const fits = and(
    words.length === 0 ? undefined : arrayContains(tasks.words, [...words]),
    match === null ? undefined : sql`${tasks.id} ~ ${match}`,
  );
  const [{ total } = { total: 0 }] = await db.select({ total: count() }).from(tasks).where(fits);
  const items = await db
    .select({
      id: tasks.id,
      createdAt: tasks.createdAt,
      lastModifiedAt: tasks.lastModifiedAt,
      jobsCount: sql<number>`(SELECT count(*) FROM fastlane.jobs WHERE jobs.task_id = tasks.id)::int`,
    })
    .from(tasks)
    .where(fits)
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
