import type postgres from "postgres";
import type { AuditEntry } from "../core/audit.ts";
import { wordsOf } from "../core/words.ts";
import type { NewExecution } from "./executions.ts";
import type { NewJob } from "./jobs.ts";

/** A job that begins at once, with its first execution, and by whom it is made. */
export interface NewWork {
  job: NewJob;
  execution: NewExecution;
  audit: AuditEntry;
}

/**
 * Makes jobs with their executions, and their tasks where they are new, in one statement: it is its
 * own transaction, and is planned once for each connection.
 *
 * @param messages Selects `pool` and `id` of a message that it sends to each of the pools.
 * @returns The message of each pool.
 */
export async function insertWork(
  sql: postgres.Sql,
  messages: postgres.PendingQuery<postgres.Row[]>,
  work: readonly NewWork[],
): Promise<Map<string, number>> {
  const tasks = [...new Set(work.map(({ job }) => job.taskId))]
    // In one order, so that two transactions never wait for each other.
    .sort()
    .map((id) => ({ id, words: wordsOf(id) }));
  // As texts: the driver would write a value of type jsonb as JSON once more.
  const rows = work.map(({ job, execution, audit: { by, details } }) => ({
    ...execution,
    executionId: execution.id,
    rules: job.rules,
    custom: job.custom,
    jobTraceparent: job.traceparent,
    actorKind: by.actor.kind,
    actorName: by.actor.name,
    address: by.address,
    requestId: by.requestId,
    details,
  }));
  const sent = await sql<{ pool: string; id: string }[]>`
    WITH message AS MATERIALIZED (${messages}),
    new_work AS MATERIALIZED (
      SELECT *, now() + (row_number() OVER ()) * interval '1 microsecond' AS created_at
      FROM json_to_recordset(${JSON.stringify(rows)}::text::json) AS x (
        "executionId" uuid, "jobId" uuid, "taskId" text, pool text, request jsonb, rules jsonb,
        custom jsonb, priority smallint, "requestIp" text, "timeoutSeconds" int,
        "expiresAt" timestamptz, "concurrencyKey" text, "concurrencyLimit" int,
        "onHostLost" text, "actorKind" text, "actorName" text, address text, "requestId" text,
        details jsonb, "jobTraceparent" text, traceparent text, tracestate text,
        "tracedFrom" timestamptz
      )
    ),
    wanted AS MATERIALIZED (
      SELECT id, words FROM jsonb_to_recordset(${JSON.stringify(tasks)}::text::jsonb)
        AS x (id text, words text[])
    ),
    task AS (
      INSERT INTO fastlane.tasks (id, words)
      SELECT id, words FROM wanted
      WHERE NOT EXISTS (SELECT FROM fastlane.tasks WHERE tasks.id = wanted.id)
      ON CONFLICT (id) DO NOTHING
    ),
    modified AS (
      UPDATE fastlane.tasks SET last_modified_at = now()
      WHERE id IN (
        SELECT id FROM fastlane.tasks
        WHERE id IN (SELECT id FROM wanted) AND last_modified_at < now() - interval '1 second'
        ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
      )
    ),
    job AS (
      INSERT INTO fastlane.jobs (
        id, task_id, request, rules, priority, custom, queue_message_id, request_ip, created_at,
        traceparent
      )
      SELECT "jobId", "taskId", request, rules, priority, custom, message.id, "requestIp", created_at,
        "jobTraceparent"
      FROM new_work JOIN message USING (pool)
    ),
    execution AS (
      INSERT INTO fastlane.executions (
        id, job_id, task_id, pool, request, priority, request_ip, timeout_seconds, expires_at,
        concurrency_key, concurrency_limit, on_host_lost, created_at, traceparent, tracestate,
        traced_from
      )
      SELECT "executionId", "jobId", "taskId", pool, request, priority, "requestIp",
        "timeoutSeconds", "expiresAt", "concurrencyKey", "concurrencyLimit", "onHostLost",
        created_at, traceparent, tracestate, "tracedFrom"
      FROM new_work
    ),
    audit AS (
      INSERT INTO fastlane.audit (
        actor_kind, actor_name, address, request_id, action, task_id, job_id, execution_id, details
      )
      SELECT "actorKind", "actorName", address, "requestId", 'enqueue', "taskId", "jobId",
        "executionId", details
      FROM new_work
    )
    SELECT pool, id FROM message`;
  return new Map(sent.map(({ pool, id }) => [pool, Number(id)]));
}
