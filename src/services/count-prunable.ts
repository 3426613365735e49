import { sql } from "drizzle-orm";
import { type Amount, addPruned, nothingPruned, type Pruned } from "../core/pruned.ts";
import type { Db } from "../store/connect.ts";
import { countOldKeys } from "../store/idempotency-keys.ts";
import { agedDays, bytesBesidesFailed, bytesOfDay } from "../store/kept-logs.ts";
import { leftoversOfHosts } from "../store/leftovers.ts";
import {
  amountOf,
  BYTES_OF_DELIVERY,
  daysAgo,
  isArmed,
  isEndedInVain,
  isOldAct,
  isOldExecution,
  isOldTick,
} from "../store/old-rows.ts";
import { countOldReceipts } from "../store/reconciliations.ts";
import type { Retention } from "./prune.ts";
import { isDue } from "./prune-logs.ts";

/** What `prune` would remove now; it changes nothing and locks nothing. */
export async function countPrunable(db: Db, retention: Retention): Promise<Pruned> {
  const sum = nothingPruned();
  addPruned(sum, {
    containers: { count: (await leftoversOfHosts(db)).left, bytes: 0 },
    logDays: await countLogDays(db, retention),
    ...(await countExecutions(db, retention.executionsDays)),
    audit: await amountOf(
      db,
      sql`SELECT pg_column_size(audit.*) AS bytes FROM fastlane.audit
        WHERE ${isOldAct(retention.auditDays)}`,
    ),
    idempotencyKeys: await countOldKeys(db),
    reconciliations: await countOldReceipts(db),
  });
  return sum;
}

async function countLogDays(db: Db, retention: Retention): Promise<Amount> {
  const due = (await agedDays(db, retention)).filter(isDue);
  let bytes = 0;
  for (const { day, failedIsOver } of due) {
    bytes += await (failedIsOver ? bytesOfDay(db, day) : bytesBesidesFailed(db, day));
  }
  return { count: due.length, bytes };
}

type OfExecutions = Pick<Pruned, "executions" | "jobs" | "tasks" | "ticks" | "deliveries">;

/** The outcome of all the steps of `forgetExecutions` together, as one question. */
async function countExecutions(db: Db, executionsDays: number): Promise<OfExecutions> {
  const cutoff = daysAgo(executionsDays);
  const rows = await db.execute<{ kind: keyof OfExecutions; count: number; bytes: string }>(sql`
    WITH gone AS MATERIALIZED (
      SELECT id, job_id, pg_column_size(old.*) AS bytes FROM fastlane.executions AS old
      WHERE ${isOldExecution(cutoff)}
    ),
    gone_jobs AS MATERIALIZED (
      SELECT id, task_id, pg_column_size(jobs.*) AS bytes FROM fastlane.jobs
      WHERE id IN (
          SELECT job_id FROM gone
          UNION SELECT job_id FROM fastlane.schedules AS ended WHERE ${isEndedInVain(cutoff)}
        )
        AND NOT EXISTS (
          SELECT FROM fastlane.executions WHERE executions.job_id = jobs.id
            AND NOT EXISTS (SELECT FROM gone WHERE gone.id = executions.id)
        )
        AND NOT ${isArmed(sql`jobs.id`)}
    )
    SELECT kind, count(*)::int AS count, coalesce(sum(bytes), 0) AS bytes FROM (
      SELECT 'executions' AS kind, bytes FROM gone
      UNION ALL SELECT 'jobs', bytes FROM gone_jobs
      UNION ALL SELECT 'tasks', pg_column_size(tasks.*) FROM fastlane.tasks
        WHERE id IN (SELECT task_id FROM gone_jobs) AND NOT EXISTS (
          SELECT FROM fastlane.jobs WHERE jobs.task_id = tasks.id
            AND NOT EXISTS (SELECT FROM gone_jobs WHERE gone_jobs.id = jobs.id)
        )
      UNION ALL SELECT 'deliveries', ${BYTES_OF_DELIVERY} FROM fastlane.deliveries
        WHERE execution_id IN (SELECT id FROM gone)
      UNION ALL SELECT 'ticks', pg_column_size(ticks.*) FROM fastlane.ticks
        WHERE job_id IN (SELECT id FROM gone_jobs) OR (
          ${isOldTick(cutoff)}
          AND job_id IN (SELECT schedules.job_id FROM fastlane.schedules)
          AND NOT EXISTS (
            SELECT FROM fastlane.executions WHERE executions.id = ticks.execution_id
              AND NOT EXISTS (SELECT FROM gone WHERE gone.id = executions.id)
          )
        )
    ) AS counted GROUP BY kind`);
  const { executions, jobs, tasks, ticks, deliveries } = nothingPruned();
  const sum: OfExecutions = { executions, jobs, tasks, ticks, deliveries };
  for (const { kind, count, bytes } of rows) sum[kind] = { count, bytes: Number(bytes) };
  return sum;
}
