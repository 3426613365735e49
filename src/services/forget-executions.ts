import { type SQL, sql } from "drizzle-orm";
import type { Db, Tx } from "../store/connect.ts";

/** Of one transaction: it must not keep rows from others for long. */
const BATCH = 500;

export interface Forgotten {
  executions: number;
  jobs: number;
  tasks: number;
  ticks: number;
}

/**
 * Removes executions whose end is longer ago than they are kept, and what is of no use without them:
 * a job without executions that will not run by itself any more, and a task without jobs. The last
 * execution of a job that will run by itself stays, so that the job shows how it went, and so does
 * that of one that was changed since.
 *
 * It waits for nobody: what somebody else is busy with is left for the next time.
 *
 * @param signal Ends it early, between two transactions.
 */
export async function forgetExecutions(
  db: Db,
  executionsDays: number,
  signal: AbortSignal,
): Promise<Forgotten> {
  const cutoff = sql`(now() - make_interval(days => ${executionsDays}::int))`;
  const sum: Forgotten = { executions: 0, jobs: 0, tasks: 0, ticks: 0 };
  for (const forget of [forgetEnded, forgetEndedSchedules, forgetTicks]) {
    for (let isMore = true; isMore; ) {
      signal.throwIfAborted();
      const forgotten = await db.transaction((tx) => forget(tx, cutoff));
      for (const key of ["executions", "jobs", "tasks", "ticks"] as const) {
        sum[key] += forgotten[key] ?? 0;
      }
      isMore = Object.values(forgotten).some((count) => count > 0);
    }
  }
  await db.execute(sql`
    DELETE FROM fastlane.log_days WHERE kept = 'none'
      AND NOT EXISTS (SELECT FROM fastlane.executions WHERE log_day = day)`);
  return sum;
}

/** A schedule that will fire. */
const armed = (jobId: SQL) =>
  sql`EXISTS (SELECT FROM fastlane.schedules WHERE schedules.job_id = ${jobId} AND next_at IS NOT NULL)`;

async function forgetEnded(tx: Tx, cutoff: SQL): Promise<Partial<Forgotten>> {
  const old = await tx.execute<{ id: string; jobId: string }>(sql`
    SELECT id, job_id AS "jobId" FROM fastlane.executions AS old
    WHERE created_at < ${cutoff} AND finished_at < ${cutoff} AND NOT (
      (${armed(sql`old.job_id`)} OR EXISTS (
        SELECT FROM fastlane.jobs WHERE jobs.id = old.job_id AND last_modified_at >= ${cutoff}
      )) AND NOT EXISTS (
        SELECT FROM fastlane.executions AS later
        WHERE later.job_id = old.job_id AND (
          later.created_at > old.created_at
          OR (later.created_at = old.created_at AND later.id < old.id)
        )
      )
    )
    ORDER BY created_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED`);
  // A job that is held can get an execution no more before it is gone itself.
  const held = await heldJobs(tx, [...new Set(old.map(({ jobId }) => jobId))]);
  const ids = old.filter(({ jobId }) => held.has(jobId)).map(({ id }) => id);
  await tx.execute(sql`DELETE FROM fastlane.executions WHERE id IN (${listOf(ids, "uuid")})`);
  return { executions: ids.length, ...(await forgetJobs(tx, [...held])) };
}

/** Jobs whose schedule has come to its end without an execution: no tick of it was run. */
async function forgetEndedSchedules(tx: Tx, cutoff: SQL): Promise<Partial<Forgotten>> {
  const ended = await tx.execute<{ jobId: string }>(sql`
    SELECT job_id AS "jobId" FROM fastlane.schedules AS ended
    WHERE next_at IS NULL AND created_at < ${cutoff}
      AND NOT EXISTS (SELECT FROM fastlane.executions WHERE executions.job_id = ended.job_id)
      AND NOT EXISTS (SELECT FROM fastlane.ticks WHERE ticks.job_id = ended.job_id
        AND decided_at >= ${cutoff})
    LIMIT ${BATCH}`);
  const jobIds = ended.map(({ jobId }) => jobId);
  return await forgetJobs(tx, [...(await heldJobs(tx, jobIds))]);
}

/** The ledger of a schedule that goes on for years. A tick whose execution is there stays with it. */
async function forgetTicks(tx: Tx, cutoff: SQL): Promise<Partial<Forgotten>> {
  const ticks = await tx.execute(sql`
    DELETE FROM fastlane.ticks WHERE (job_id, at) IN (
      SELECT old.job_id, old.at FROM fastlane.schedules CROSS JOIN LATERAL (
        SELECT job_id, at FROM fastlane.ticks
        WHERE ticks.job_id = schedules.job_id AND at < ${cutoff} AND decided_at < ${cutoff}
          AND NOT EXISTS (SELECT FROM fastlane.executions WHERE executions.id = execution_id)
        LIMIT ${BATCH}
      ) AS old
      LIMIT ${BATCH}
    ) RETURNING 1 AS one`);
  return { ticks: ticks.length };
}

async function heldJobs(tx: Tx, jobIds: readonly string[]): Promise<Set<string>> {
  const rows = await tx.execute<{ id: string }>(sql`
    SELECT id FROM fastlane.jobs WHERE id IN (${listOf(jobIds, "uuid")}) FOR UPDATE SKIP LOCKED`);
  return new Set(rows.map(({ id }) => id));
}

/** Of jobs that are held, removes those that are of no use any more, and then their tasks. */
async function forgetJobs(tx: Tx, held: readonly string[]): Promise<Partial<Forgotten>> {
  const empty = await tx.execute<{ id: string; taskId: string }>(sql`
    SELECT id, task_id AS "taskId" FROM fastlane.jobs WHERE id IN (${listOf(held, "uuid")})
      AND NOT EXISTS (SELECT FROM fastlane.executions WHERE executions.job_id = jobs.id)
      AND NOT ${armed(sql`jobs.id`)}`);
  const jobs = listOf(
    empty.map(({ id }) => id),
    "uuid",
  );
  await tx.execute(sql`DELETE FROM fastlane.ticks WHERE job_id IN (${jobs})`);
  await tx.execute(sql`DELETE FROM fastlane.schedules WHERE job_id IN (${jobs})`);
  await tx.execute(sql`DELETE FROM fastlane.jobs WHERE id IN (${jobs})`);
  const named = listOf([...new Set(empty.map(({ taskId }) => taskId))], "text");
  const tasks = await tx.execute<{ id: string }>(sql`
    SELECT id FROM fastlane.tasks WHERE id IN (${named}) FOR UPDATE SKIP LOCKED`);
  // A statement of its own, which sees what was added before the tasks were held.
  const gone = await tx.execute(sql`
    DELETE FROM fastlane.tasks WHERE id IN (${listOf(
      tasks.map(({ id }) => id),
      "text",
    )}) AND NOT EXISTS (SELECT FROM fastlane.jobs WHERE task_id = tasks.id) RETURNING id`);
  return { jobs: empty.length, tasks: gone.length };
}

function listOf(values: readonly string[], type: "uuid" | "text"): SQL {
  return sql`SELECT value::${sql.raw(type)}
    FROM jsonb_array_elements_text(${JSON.stringify(values)}::jsonb)`;
}
