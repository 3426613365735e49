import { afterAll, beforeAll, expect, test } from "bun:test";
import { testStore } from "../support/store.ts";

let store: Awaited<ReturnType<typeof testStore>>;
beforeAll(async () => {
  store = await testStore();
});
afterAll(() => store[Symbol.asyncDispose]());

const JOB = crypto.randomUUID();
const STOP = {
  actor_kind: "token",
  actor_name: "ops",
  address: "10.0.0.7",
  action: "stop",
  task_id: "t",
  job_id: JOB,
  execution_id: JOB,
  host: null,
  details: {},
  request_id: "r",
};
const NO_JOB = { task_id: null, job_id: null, execution_id: null };
const DRAIN = { ...STOP, ...NO_JOB, action: "drain", host: "one" };
const OF_TOKEN = { ...STOP, ...NO_JOB, action: "token.create", details: { token: "ci" } };

test.each<[string, Record<string, unknown>, string | null]>([
  ["of an execution", STOP, null],
  ["of a job without an execution", { ...STOP, execution_id: null }, null],
  ["of a host", DRAIN, null],
  ["of a token", OF_TOKEN, null],
  ["by fastlane itself", { ...OF_TOKEN, actor_kind: "system", actor_name: null }, null],
  ["without an address or a request", { ...DRAIN, address: null, request_id: null }, null],
  ["by a token without a name", { ...STOP, actor_name: null }, "audit_name_iff_actor_has_one"],
  ["by nobody with a name", { ...STOP, actor_kind: "anonymous" }, "audit_name_iff_actor_has_one"],
  ["by who knows whom", { ...STOP, actor_kind: "root" }, "audit_actor_kind_check"],
  ["of what nobody can do", { ...STOP, action: "pause" }, "audit_action_check"],
  ["of a stop of nothing", { ...STOP, ...NO_JOB }, "audit_job_iff_about_one"],
  ["of a drain of a job", { ...STOP, action: "drain", host: "one" }, "audit_job_iff_about_one"],
  ["of a job without its task", { ...STOP, task_id: null }, "audit_task_iff_job"],
  ["of an execution without a job", { ...DRAIN, execution_id: JOB }, "audit_execution_has_job"],
  [
    "of a retry that made nothing",
    { ...STOP, action: "retry", execution_id: null },
    "audit_execution_where_there_is_one",
  ],
  ["of a drain of no host", { ...DRAIN, host: null }, "audit_host_iff_about_one"],
  ["of a stop of a host", { ...STOP, host: "one" }, "audit_host_iff_about_one"],
  ["with a list for details", { ...STOP, details: [] }, "audit_details_check"],
  ["with a log for details", { ...STOP, details: { log: noise() } }, "audit_details_check"],
  ["with a request id of 201", { ...STOP, request_id: "r".repeat(201) }, "audit_request_id_check"],
])("a row %s is what the rules say of it", async (_, row, broken) => {
  const inserted = store.sql`
    INSERT INTO fastlane.audit (
      actor_kind, actor_name, address, action, task_id, job_id, execution_id, host, details,
      request_id
    )
    SELECT actor_kind, actor_name, address, action, task_id, job_id, execution_id, host, details,
      request_id
    FROM jsonb_populate_record(NULL::fastlane.audit, ${JSON.stringify(row)}::text::jsonb)`;

  const fault = await inserted.then(() => null).catch((error) => error.constraint_name);
  expect(fault).toBe(broken);
});

test("what is seldom done is found without reading all that is done often", async () => {
  await store.sql`
    INSERT INTO fastlane.audit (actor_kind, action, task_id, job_id)
    SELECT 'anonymous', 'enqueue', 't', ${JOB} FROM generate_series(1, 5000)`;
  await store.sql`ANALYZE fastlane.audit`;

  const plan = await store.sql`
    EXPLAIN SELECT * FROM fastlane.audit WHERE action = ${"token.revoke"}
    ORDER BY at DESC, id DESC LIMIT 101`;

  expect(JSON.stringify(plan)).toContain("audit_by_seldom_action");
});

/** More than details may have, however well they are packed. */
function noise(): string {
  return Array.from({ length: 400 }, () => crypto.randomUUID()).join("");
}
