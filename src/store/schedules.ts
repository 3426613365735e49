import { and, asc, count, desc, eq, inArray, isNotNull, sql } from "drizzle-orm";
import type { CatchUp, Overlap } from "../core/schedule.ts";
import type { Db, Tx } from "./connect.ts";
import { jobs, type ScheduleRow, schedules, type TickRow, ticks } from "./schema.ts";
import type { Page } from "./tasks.ts";

export interface NewSchedule {
  jobId: string;
  /** `null` for a schedule of one moment. */
  cron: string | null;
  timezone: string;
  overlap: Overlap;
  catchUp: CatchUp;
  nextAt: Date;
  messageId: number;
}

export async function insertSchedules(tx: Tx, rows: readonly NewSchedule[]): Promise<void> {
  if (rows.length > 0) await tx.insert(schedules).values([...rows]);
}

export async function deleteSchedule(tx: Tx, jobId: string): Promise<void> {
  await tx.delete(schedules).where(eq(schedules.jobId, jobId));
}

/** Says of a schedule that it was ended before its time. */
export async function markCanceled(tx: Tx, jobId: string): Promise<void> {
  await tx.update(schedules).set({ canceledAt: sql`now()` }).where(eq(schedules.jobId, jobId));
}

export async function findSchedule(db: Db | Tx, jobId: string): Promise<ScheduleRow | null> {
  const [row] = await db.select().from(schedules).where(eq(schedules.jobId, jobId));
  return row ?? null;
}

/** The schedule if it will fire, locked until the transaction ends, and the database's time. */
export async function lockArmedSchedule(
  tx: Tx,
  jobId: string,
): Promise<{ schedule: ScheduleRow; nextAt: Date; now: Date } | null> {
  const [row] = await tx
    .select({ schedule: schedules, now: sql<string>`clock_timestamp()` })
    .from(schedules)
    .where(and(eq(schedules.jobId, jobId), isNotNull(schedules.nextAt)))
    .for("update");
  const nextAt = row?.schedule.nextAt ?? null;
  if (row === undefined || nextAt === null) return null;
  return { schedule: row.schedule, nextAt, now: new Date(row.now) };
}

/** Overdue for so long, a schedule's message has not been handled. */
const OVERDUE = sql`interval '5 seconds'`;

/** Every schedule that will fire, with its message. */
export async function armedSchedules(
  db: Db,
): Promise<{ jobId: string; messageId: number | null; isOverdue: boolean }[]> {
  return await db
    .select({
      jobId: schedules.jobId,
      messageId: schedules.messageId,
      isOverdue: sql<boolean>`next_at < now() - ${OVERDUE}`,
    })
    .from(schedules)
    .where(isNotNull(schedules.nextAt));
}

export async function armSchedule(
  tx: Tx,
  jobId: string,
  nextAt: Date | null,
  messageId: number | null,
): Promise<void> {
  await tx.update(schedules).set({ nextAt, messageId }).where(eq(schedules.jobId, jobId));
}

/** Of these ticks, the times of those whose fate is in the ledger. */
export async function decidedTicks(
  tx: Tx,
  jobId: string,
  at: readonly Date[],
): Promise<Set<number>> {
  const rows = await tx
    .select({ at: ticks.at })
    .from(ticks)
    .where(and(eq(ticks.jobId, jobId), inArray(ticks.at, [...at])));
  return new Set(rows.map((row) => row.at.getTime()));
}

export async function insertTicks(
  tx: Tx,
  rows: readonly Omit<TickRow, "decidedAt">[],
): Promise<void> {
  if (rows.length > 0) await tx.insert(ticks).values([...rows]);
}

/** The ledger of a job, newest first, a page of it. */
export async function listTicks(
  db: Db,
  jobId: string,
  { page, perPage }: Page,
): Promise<{ items: TickRow[]; total: number }> {
  const ofJob = eq(ticks.jobId, jobId);
  const [[{ total } = { total: 0 }], items] = await Promise.all([
    db.select({ total: count() }).from(ticks).where(ofJob),
    db
      .select()
      .from(ticks)
      .where(ofJob)
      .orderBy(desc(ticks.at))
      .limit(perPage)
      .offset((page - 1) * perPage),
  ]);
  return { items, total };
}

export interface Upcoming {
  jobId: string;
  taskId: string;
  nextAt: Date;
}

/**
 * The schedules that will fire, the next one first.
 *
 * @param taskMatch A regular expression on the ids of their tasks; `null` is all.
 */
export async function upcomingSchedules(
  db: Db,
  limit: number,
  taskMatch: string | null,
): Promise<Upcoming[]> {
  const rows = await db
    .select({ jobId: schedules.jobId, taskId: jobs.taskId, nextAt: schedules.nextAt })
    .from(schedules)
    .innerJoin(jobs, eq(jobs.id, schedules.jobId))
    .where(
      and(
        isNotNull(schedules.nextAt),
        taskMatch === null ? undefined : sql`${jobs.taskId} ~ ${taskMatch}`,
      ),
    )
    .orderBy(asc(schedules.nextAt))
    .limit(limit);
  return rows.flatMap(({ nextAt, ...row }) => (nextAt === null ? [] : [{ ...row, nextAt }]));
}

export async function countUpcoming(db: Db): Promise<number> {
  return await db.$count(schedules, isNotNull(schedules.nextAt));
}
