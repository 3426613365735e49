import { type SQL, sql } from "drizzle-orm";
import {
  type Amount,
  addPruned,
  isNothing,
  nothingPruned,
  type Pause,
  type Pruned,
} from "../core/pruned.ts";
import type { Db, Tx } from "../store/connect.ts";
import {
  amountOf,
  amountRemoved,
  BYTES_OF_DELIVERY,
  daysAgo,
  isArmed,
  isEndedInVain,
  isOldExecution,
  isOldTick,
  listOf,
} from "../store/old-rows.ts";

/** Of one transaction: it must not keep rows from others for long. */
const BATCH = 500;

/**
 * Removes executions whose end is longer ago than they are kept, and what is of no use without them:
 * a job without executions that will not run by itself any more, and a task without jobs. The last
 * execution of a job that will run by itself stays, so that the job shows how it went, and so does
 * that of one that was changed since.
 *
 * It waits for nobody: what somebody else is busy with is left for the next time.
 *
 * @param pause Between two transactions.
 */
export async function forgetExecutions(
  db: Db,
  executionsDays: number,
  pause: Pause,
): Promise<Pruned> {
  const cutoff = daysAgo(executionsDays);
  const sum = nothingPruned();
  for (const forget of [forgetEnded, forgetEndedSchedules, forgetTicks]) {
    for (let isMore = true; isMore; ) {
      await pause();
      const forgotten = await db.transaction((tx) => forget(tx, cutoff));
      addPruned(sum, forgotten);
      isMore = !isNothing(forgotten);
    }
  }
  await db.execute(sql`
    DELETE FROM fastlane.log_days WHERE kept = 'none'
      AND NOT EXISTS (SELECT FROM fastlane.executions WHERE log_day = day)`);
  return sum;
}

async function forgetEnded(tx: Tx, cutoff: SQL): Promise<Partial<Pruned>> {
  const old = await tx.execute<{ id: string; jobId: string }>(sql`
    SELECT id, job_id AS "jobId" FROM fastlane.executions AS old
    WHERE ${isOldExecution(cutoff)}
    ORDER BY created_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED`);
  // A job that is held can get an execution no more before it is gone itself.
  const held = await heldJobs(tx, [...new Set(old.map(({ jobId }) => jobId))]);
  const ids = listOf(
    old.filter(({ jobId }) => held.has(jobId)).map(({ id }) => id),
    "uuid",
  );
  const deliveries = await amountOf(
    tx,
    sql`SELECT ${BYTES_OF_DELIVERY} AS bytes FROM fastlane.deliveries WHERE execution_id IN (${ids})`,
  );
  const ticks = await amountRemoved(
    tx,
    sql`DELETE FROM fastlane.ticks USING fastlane.executions
      WHERE executions.id IN (${ids}) AND ticks.execution_id = executions.id
        AND ticks.job_id = executions.job_id AND ticks.at = executions.tick_at
        AND ${isOldTick(cutoff)}
      RETURNING pg_column_size(ticks.*) AS bytes`,
  );
  const executions = await amountRemoved(
    tx,
    sql`DELETE FROM fastlane.executions WHERE id IN (${ids})
      RETURNING pg_column_size(executions.*) AS bytes`,
  );
  const forgotten = nothingPruned();
  addPruned(forgotten, { executions, deliveries, ticks });
  addPruned(forgotten, await forgetJobs(tx, [...held]));
  return forgotten;
}

async function forgetEndedSchedules(tx: Tx, cutoff: SQL): Promise<Partial<Pruned>> {
  const ended = await tx.execute<{ jobId: string }>(sql`
    SELECT job_id AS "jobId" FROM fastlane.schedules AS ended
    WHERE ${isEndedInVain(cutoff)} LIMIT ${BATCH}`);
  const jobIds = ended.map(({ jobId }) => jobId);
  return await forgetJobs(tx, [...(await heldJobs(tx, jobIds))]);
}

/** The ledger of a schedule that goes on for years. A tick whose execution is there stays with it. */
async function forgetTicks(tx: Tx, cutoff: SQL): Promise<{ ticks: Amount }> {
  const ticks = await amountRemoved(
    tx,
    sql`DELETE FROM fastlane.ticks WHERE (job_id, at) IN (
      SELECT old.job_id, old.at FROM fastlane.schedules CROSS JOIN LATERAL (
        SELECT job_id, at FROM fastlane.ticks
        WHERE ticks.job_id = schedules.job_id AND ${isOldTick(cutoff)}
          AND NOT EXISTS (SELECT FROM fastlane.executions WHERE executions.id = execution_id)
        LIMIT ${BATCH}
      ) AS old
      LIMIT ${BATCH}
    ) RETURNING pg_column_size(ticks.*) AS bytes`,
  );
  return { ticks };
}

async function heldJobs(tx: Tx, jobIds: readonly string[]): Promise<Set<string>> {
  const rows = await tx.execute<{ id: string }>(sql`
    SELECT id FROM fastlane.jobs WHERE id IN (${listOf(jobIds, "uuid")}) FOR UPDATE SKIP LOCKED`);
  return new Set(rows.map(({ id }) => id));
}

/** Of jobs that are held, removes those that are of no use any more, and then their tasks. */
async function forgetJobs(tx: Tx, held: readonly string[]): Promise<Partial<Pruned>> {
  const empty = await tx.execute<{ id: string; taskId: string }>(sql`
    SELECT id, task_id AS "taskId" FROM fastlane.jobs WHERE id IN (${listOf(held, "uuid")})
      AND NOT EXISTS (SELECT FROM fastlane.executions WHERE executions.job_id = jobs.id)
      AND NOT ${isArmed(sql`jobs.id`)}`);
  const ids = listOf(
    empty.map(({ id }) => id),
    "uuid",
  );
  const ticks = await amountRemoved(
    tx,
    sql`DELETE FROM fastlane.ticks WHERE job_id IN (${ids})
      RETURNING pg_column_size(ticks.*) AS bytes`,
  );
  await tx.execute(sql`DELETE FROM fastlane.schedules WHERE job_id IN (${ids})`);
  const jobs = await amountRemoved(
    tx,
    sql`DELETE FROM fastlane.jobs WHERE id IN (${ids}) RETURNING pg_column_size(jobs.*) AS bytes`,
  );
  const named = listOf([...new Set(empty.map(({ taskId }) => taskId))], "text");
  const busyless = await tx.execute<{ id: string }>(sql`
    SELECT id FROM fastlane.tasks WHERE id IN (${named}) FOR UPDATE SKIP LOCKED`);
  const heldTasks = listOf(
    busyless.map(({ id }) => id),
    "text",
  );
  // A statement of its own, which sees what was added before the tasks were held.
  const tasks = await amountRemoved(
    tx,
    sql`DELETE FROM fastlane.tasks WHERE id IN (${heldTasks})
        AND NOT EXISTS (SELECT FROM fastlane.jobs WHERE task_id = tasks.id)
      RETURNING pg_column_size(tasks.*) AS bytes`,
  );
  return { jobs, tasks, ticks };
}
