import { expect, test } from "bun:test";
import { is } from "drizzle-orm";
import { getTableConfig, PgTable } from "drizzle-orm/pg-core";
import * as auditSchema from "../../src/store/audit-schema.ts";
import * as deliverySchema from "../../src/store/delivery-schema.ts";
import * as schema from "../../src/store/schema.ts";
import * as tokenSchema from "../../src/store/token-schema.ts";
import { testStore } from "../support/store.ts";

test("the tables as the code knows them are those of the migrations, column by column", async () => {
  await using store = await testStore();
  const known = Object.values({ ...schema, ...deliverySchema, ...auditSchema, ...tokenSchema })
    .filter((value) => is(value, PgTable))
    .flatMap((table) => {
      const { name, columns } = getTableConfig(table);
      return columns.map((column) => ({
        column: `${name}.${column.name}`,
        type: column.getSQLType().endsWith("[]") ? "ARRAY" : column.getSQLType(),
        nullable: !(column.notNull || column.primary),
        default: column.hasDefault,
      }));
    });

  const rows = await store.sql<
    { column: string; type: string; nullable: boolean; default: boolean }[]
  >`
    SELECT table_name || '.' || column_name AS column, data_type AS type,
      is_nullable = 'YES' AS nullable, 
      (column_default IS NOT NULL OR is_identity = 'YES') AS default
    FROM information_schema.columns
    JOIN pg_class ON oid = format('fastlane.%I', table_name)::regclass AND NOT relispartition
    WHERE table_schema = 'fastlane' AND table_name <> 'migrations'`;

  const byName = (left: { column: string }, right: { column: string }) =>
    left.column < right.column ? -1 : 1;
  expect([...rows].sort(byName)).toEqual(known.sort(byName));
});

const EXECUTION = {
  status: "enqueued",
  host: null,
  claimed_at: null,
  container_id: null,
  started_at: null,
};
const NOW = "2026-01-01T00:00:00Z";
const ID = "a".repeat(64);
const RUNNING = {
  status: "running",
  host: "one",
  claimed_at: NOW,
  container_id: ID,
  started_at: NOW,
};
const ENDED = { ...RUNNING, finished_at: NOW };
const CUT = { log_cut_after: 3, log_cut_to: 4, log_cut_bytes: 1, log_cut_lines: 0 };

test.each<[string, Record<string, unknown>, string | null]>([
  ["waits", {}, null],
  ["runs", RUNNING, null],
  ["runs as a service", { ...RUNNING, container_id: "k3".repeat(12).concat("z") }, null],
  ["is done", { ...ENDED, status: "done", exit_code: 0 }, null],
  ["has failed", { ...ENDED, status: "failed", failure_cause: "exit_code", exit_code: 3 }, null],
  ["has an unknown status", { ...ENDED, status: "lost" }, "executions_status_check"],
  ["runs unclaimed", { ...RUNNING, claimed_at: null }, "executions_running_in_a_container"],
  ["waits and is claimed", { claimed_at: NOW }, "executions_enqueued_unclaimed"],
  ["waits on a host", { host: "one" }, "executions_enqueued_on_no_host"],
  ["is pulled for on no host", { status: "pulling" }, "executions_on_a_host_when_begun"],
  ["runs in no container", { ...RUNNING, container_id: null }, "executions_running_in_a_container"],
  ["runs since never", { ...RUNNING, started_at: null }, "executions_running_in_a_container"],
  ["is in an odd container", { ...RUNNING, container_id: "../x" }, "executions_container_id_check"],
  [
    "is done and has no end",
    { ...RUNNING, status: "done", exit_code: 0 },
    "executions_finished_at_iff_ended",
  ],
  ["runs and has an end", ENDED, "executions_finished_at_iff_ended"],
  [
    "has failed by nothing",
    { ...ENDED, status: "failed", exit_code: 3 },
    "executions_cause_iff_ended_otherwise_than_done",
  ],
  ["is done with 3", { ...ENDED, status: "done", exit_code: 3 }, "executions_done_is_exit_code_0"],
  ["is on a host that is not there", { ...RUNNING, host: "two" }, "executions_host_fkey"],
  ["has a key without a limit", { concurrency_key: "k" }, "executions_concurrency_is_whole"],
  [
    "has a limit of 0",
    { concurrency_key: "k", concurrency_limit: 0 },
    "executions_concurrency_limit_check",
  ],
  [
    "waits and is to be stopped",
    { stop_requested_at: NOW },
    "executions_enqueued_never_to_be_stopped",
  ],
  ["runs and is to be stopped", { ...RUNNING, stop_requested_at: NOW }, null],
  ["may not run at all", { timeout_seconds: 0 }, "executions_timeout_seconds_check"],
  ["is counted while it runs", { ...RUNNING, log_bytes: 1 }, "executions_log_counted_when_ended"],
  ["has a cut without an end", { ...RUNNING, log_cut_after: 3 }, "executions_log_cut_is_whole"],
  [
    "has a cut of no frames",
    { ...RUNNING, ...CUT, log_cut_to: 3 },
    "executions_log_cut_has_frames",
  ],
  ["has a cut", { ...RUNNING, ...CUT }, null],
  ["has a priority of 101", { priority: 101 }, "executions_priority_check"],
])("an execution that %s is what the rules say of it", async (_, values, violated) => {
  await using store = await testStore();
  const [id, jobId] = [crypto.randomUUID(), crypto.randomUUID()];
  await store.sql`INSERT INTO fastlane.hosts (name) VALUES ('one')`;
  await store.sql`INSERT INTO fastlane.tasks (id) VALUES ('t')`;
  await store.sql`INSERT INTO fastlane.jobs (id, task_id, request, rules) VALUES (${jobId}, 't', '{}', '{}')`;
  const row = { id, job_id: jobId, task_id: "t", pool: "", request: "{}", ...EXECUTION, ...values };

  const inserted = await store.sql`INSERT INTO fastlane.executions ${store.sql(row)}`.then(
    () => null,
    (error: { constraint_name?: string; message: string }) =>
      error.constraint_name ?? error.message,
  );

  expect(inserted).toBe(violated);
});

const TOKEN = {
  id: "abcdefABCDEF",
  name: "ci",
  digest: Buffer.alloc(32),
  role: "submitter",
  task_match: "^a",
  created_by: "system",
};

test.each<[string, Record<string, unknown>, string | null]>([
  ["is for some tasks", {}, null],
  ["is for some tasks and only looks", { role: "viewer" }, null],
  ["is for some tasks and all hosts", { role: "operator" }, "tokens_with_tasks_view_or_submit"],
  ["is for all tasks and all hosts", { role: "operator", task_match: null }, null],
  ["has an unknown role", { role: "root", task_match: null }, "tokens_role_check"],
  ["is kept itself", { digest: Buffer.alloc(31) }, "tokens_digest_check"],
  ["has a name with a space", { name: "a b" }, "tokens_name_check"],
  ["has another's form", { id: "abc" }, "tokens_id_check"],
  ["is over before it begins", { expires_at: NOW }, "tokens_expire_after_their_creation"],
])("a token that %s is what the rules say of it", async (_, values, violated) => {
  await using store = await testStore();
  const row = { ...TOKEN, created_at: "2026-01-02T00:00:00Z", ...values };

  const inserted = await store.sql`INSERT INTO fastlane.tokens ${store.sql(row)}`.then(
    () => null,
    (error: { constraint_name?: string; message: string }) =>
      error.constraint_name ?? error.message,
  );

  expect(inserted).toBe(violated);
});
