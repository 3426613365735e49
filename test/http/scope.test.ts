import { afterAll, beforeAll, expect, test } from "bun:test";
import { insertLogSegments } from "../../src/store/log-chunks.ts";
import { notifyOfExecutions } from "../../src/store/notify.ts";
import { type Api, startApi } from "../support/api.ts";
import { openSocket, socketUrl } from "../support/log-socket.ts";
import { segmentOf } from "../support/logs.ts";
import { errorOf, jsonOf } from "./request.ts";

const PAYLOAD = { image: "busybox", command: "true" };
const HOST = "unix:///var/run/docker.sock";

let api: Api;
/** For the tasks that begin with `a-`. */
let token: string;
let admin: string;
let ours: { executionId: string; jobId: string };
let theirs: { executionId: string; jobId: string };
beforeAll(async () => {
  api = await startApi({ requireAuthentication: true });
  admin = await api.token({ role: "admin" });
  token = await api.token({ role: "submitter", taskMatch: "^a-" });
  ours = await enqueue("a-report", admin);
  theirs = await enqueue("b-report", admin);
  for (const taskId of ["a-clock", "b-clock"]) await enqueue(taskId, admin, { cron: "0 0 1 1 *" });
  const { sql } = api.store;
  await sql`INSERT INTO fastlane.hosts (name) VALUES (${HOST})`;
  for (const { executionId } of [ours, theirs]) await run(executionId);
  await sql`
    INSERT INTO fastlane.reconciliations (host, node, fence, decision, execution_id, reason)
    SELECT ${HOST}, gen_random_uuid(), 1, 'adopted', id, 'it was there'
    FROM (VALUES (${ours.executionId}::uuid), (${theirs.executionId}), (NULL)) AS given (id)`;
});
afterAll(() => api[Symbol.asyncDispose]());

async function enqueue(taskId: string, by: string, keys = {}) {
  const body = JSON.stringify({ ...PAYLOAD, ...keys });
  return await jsonOf(await api.ask(`/tasks/${taskId}/`, by, { method: "POST", body }));
}

const run = (executionId: string) => api.store.sql`
  UPDATE fastlane.executions SET status = 'running', host = ${HOST}, claimed_at = now(),
    container_id = ${"a".repeat(64)}, started_at = now()
  WHERE id = ${executionId}`;

const read = async (path: string, by = token) => await jsonOf(await api.ask(path, by));
const idsOf = (items: { taskId: string }[]) => items.map(({ taskId }) => taskId).sort();

test("lists of tasks and executions have those of the token alone", async () => {
  const tasks = await read("/tasks/");
  const found = await read("/search/?query=report");
  const executions = await read("/executions/");
  const asked = await read("/executions/?task=b-report");

  expect([idsOf(tasks.items), tasks.total]).toEqual([["a-clock", "a-report"], 2]);
  expect([idsOf(found.items), found.total]).toEqual([["a-report"], 1]);
  expect(idsOf(executions.items)).toEqual(["a-report"]);
  expect(asked.items).toEqual([]);
  expect((await read("/tasks/", admin)).total).toBe(4);
  expect(idsOf((await read("/executions/", admin)).items)).toEqual(["a-report", "b-report"]);
});

test("the status and the receipts of hosts name its tasks alone", async () => {
  const status = await read("/status/");
  const { hosts } = await read("/hosts/");
  const all = await read("/status/", admin);
  const allHosts = (await read("/hosts/", admin)).hosts;

  expect(idsOf(status.containers.running)).toEqual(["a-report"]);
  expect(status.jobs.scheduled.map(({ task }: { task: { id: string } }) => task.id)).toEqual([
    "a-clock",
  ]);
  expect(JSON.stringify([status, hosts])).not.toMatch(/b-(report|clock)/);
  const executions = (list: { reconciliation: { last: { executionId: string }[] } }[]) =>
    list.flatMap(({ reconciliation }) => reconciliation.last.map((each) => each.executionId));
  expect(executions(hosts)).toEqual([ours.executionId]);
  expect(executions(allHosts)).toHaveLength(3);
  expect(idsOf(all.containers.running)).toEqual(["a-report", "b-report"]);
});

test("another task is refused by a sentence that names the expression, known or not", async () => {
  for (const path of ["/tasks/b-report/", "/tasks/unknown/", "/tasks/xa-/"]) {
    const { error } = await errorOf(await api.ask(path, token), 403);
    expect(error).toContain("only for tasks that fit the regular expression ^a-");
  }
  const enqueued = await api.ask("/tasks/b-report/", token, {
    method: "POST",
    body: JSON.stringify(PAYLOAD),
  });
  await errorOf(enqueued, 403);
  expect((await api.ask("/tasks/%61-report/", token)).status).toBe(200);
});

test("a job of another task is neither read nor changed by way of a task of one's own", async () => {
  const { jobId, executionId } = theirs;
  const before = await read(`/tasks/b-report/jobs/${jobId}`, admin);

  const statuses = [
    await api.ask(`/tasks/a-report/jobs/${jobId}`, token),
    await api.ask(`/tasks/a-report/jobs/${jobId}/executions/${executionId}/`, token),
    await api.ask(`/tasks/a-report/jobs/${jobId}/stop/`, token, { method: "POST" }),
    await api.ask(`/tasks/a-report/jobs/${ours.jobId}/executions/${executionId}/`, token),
  ].map(({ status }) => status);
  const put = await api.ask(`/tasks/a-report/jobs/${jobId}/`, token, {
    method: "PUT",
    body: JSON.stringify({ ...PAYLOAD, command: "false" }),
  });

  expect(statuses).toEqual([404, 404, 404, 404]);
  const { error } = await errorOf(put, 409);
  expect(error).not.toContain("b-report");
  expect(await read(`/tasks/b-report/jobs/${jobId}`, admin)).toEqual(before);
});

test("a tail tells of its tasks alone, whatever it asks for", async () => {
  const headers = { authorization: `Bearer ${token}` };
  using all = openSocket(socketUrl(`${api.url}/tail`), headers);
  using matching = openSocket(socketUrl(`${api.url}/tail`, "?match=report"), headers);
  await Promise.all([all.opened, matching.opened]);

  const ids = [theirs.executionId, ours.executionId];
  await api.store.db.transaction(async (tx) => {
    await insertLogSegments(
      tx,
      ids.map((id) => segmentOf(id, 1, "a line\n")),
    );
    await notifyOfExecutions(tx, "log", ids);
  });
  for (const tail of [all, matching]) await tail.until((messages) => messages.length > 0);

  for (const { messages } of [all, matching]) {
    expect(messages.join("")).toStartWith("a-report ");
    expect(messages.join("")).not.toContain("b-report");
  }
});
