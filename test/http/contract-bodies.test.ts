import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { openStore, type Store } from "../../src/store/connect.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import { countRows, errorOf, post, rawRequest } from "./request.ts";

const GOOD = { image: "busybox", command: "true" };
const MIB = 1024 * 1024;
const SECRET = "hunter2-is-never-shown";
const NONE = "5a023792-1445-44e9-8a8b-cfe5ad05d1c6";

let app: TestApp;
let store: Store;
let rowsBefore: number;
beforeAll(async () => {
  app = await startTestApp({ roles: { api: true, worker: false } });
  store = openStore({ address: app.database.address, max: 1 });
});
afterAll(async () => {
  await store.close();
  await app[Symbol.asyncDispose]();
});
beforeEach(async () => {
  rowsBefore = await countRows(store);
});
afterEach(async () => {
  expect(await countRows(store)).toBe(rowsBefore);
  expect(app.complaints).toEqual([]);
});

const put = (body: string) => fetch(`${app.url}/tasks/a/jobs/${NONE}/`, { method: "PUT", body });

test.each([
  ["GET", "/nothing/", 404, "route"],
  ["GET", "/tasks/none/", 404, "getTask"],
  ["GET", `/tasks/a/jobs/${NONE}/`, 404, "getJob"],
  ["GET", `/tasks/a/jobs/${NONE}/stdout/`, 404, "getJobStdout"],
  ["POST", `/tasks/a/jobs/${NONE}/stop/`, 404, "stopJob"],
  ["POST", `/tasks/a/jobs/${NONE}/retry/`, 404, "retryJob"],
  ["GET", `/tasks/a/jobs/${NONE}/executions/${NONE}/`, 404, "getExecution"],
  ["POST", `/tasks/a/jobs/${NONE}/executions/${NONE}/stop/`, 404, "stopExecution"],
  ["GET", "/search/", 400, "searchTasks"],
  ["DELETE", "/tasks/", 405, "route"],
])("errors: %s %s is a %p of the operation %s", async (method, path, status, operation) => {
  const body = await errorOf(await fetch(app.url + path, { method }), status);

  expect(body.operation).toBe(operation);
  expect(body.error).toMatch(/^["A-Z].*[^.]$/);
});

test("errors: an unknown key is named, at any depth, and what was sent is not repeated", async () => {
  const body = JSON.stringify({
    ...GOOD,
    privileged: SECRET,
    backoff: { base: SECRET },
    resources: { cpus: SECRET, gpus: SECRET },
    webhooks: { fails: [{ url: "http://a.example", body: SECRET }] },
  });

  const response = await post(app, "/tasks/a/", body);

  const { issues, error } = await errorOf(response, 400);
  expect(issues?.map(({ path }) => path)).toEqual([
    "privileged",
    "backoff.base",
    "resources.cpus",
    "resources.gpus",
    "webhooks.fails.0.body",
  ]);
  for (const { path, message } of issues ?? []) expect(error).toContain(`"${path}" ${message}`);
  expect(error + JSON.stringify(issues)).not.toContain(SECRET);
});

test.each([
  [""],
  ["{"],
  ["[1]"],
  ["null"],
  ["3"],
  ["image=busybox"],
  ['{"image":"busybox","command":"true",}'],
])("empty or unparsable body: %p is a 400 in the reference's words", async (body) => {
  for (const response of [await post(app, "/tasks/a/", body), await put(body)]) {
    const { error } = await errorOf(response, 400);
    expect(error).toBe("Failed to enqueue task because JSON body could not be parsed.");
  }
});

test.each([
  [{}],
  [{ image: "busybox" }],
  [{ command: "true" }],
  [{ image: "", command: "true" }],
  [{ image: "busybox", command: "  " }],
  [{ image: "busybox", command: [] }],
  [{ image: null, command: "true" }],
  [{ image: "busybox", command: null }],
])("no image or no command: %j is a 400 in the reference's words", async (payload) => {
  const body = JSON.stringify(payload);

  for (const response of [await post(app, "/tasks/a/", body), await put(body)]) {
    const { error } = await errorOf(response, 400);
    expect(error).toBe("image and command must be filled in the request.");
  }
});

test.each([
  [{ startAt: 4_102_444_800, startIn: "1h" }],
  [{ startAt: 4_102_444_800, cron: "* * * * *" }],
  [{ startIn: "1h", cron: "* * * * *" }],
  [{ startIn: "1h", cron: "* * * * *", startAt: 1 }],
])("two of startAt, startIn, cron: %j is a 400 in the reference's words", async (keys) => {
  const body = JSON.stringify({ ...GOOD, ...keys });

  for (const response of [await post(app, "/tasks/a/", body), await put(body)]) {
    const { error } = await errorOf(response, 400);
    expect(error).toBe("Only ONE of 'startAt', 'startIn' and 'cron' should be in the request.");
  }
});

test("content type: above 1 MiB a body is a 413, whether its length is told or not", async () => {
  const body = JSON.stringify(GOOD).padEnd(MIB + 1);
  const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;

  const told = await post(app, "/tasks/a/", body);
  const put413 = await put(body);
  const untold = await rawRequest(app, "POST /tasks/a/", ["Transfer-Encoding: chunked"], chunked);

  await errorOf(told, 413);
  await errorOf(put413, 413);
  expect([untold.status, JSON.parse(untold.body).operation]).toEqual([413, "enqueueJob"]);
});

test.each([
  ["application/x-www-form-urlencoded"],
  ["text/plain"],
  ["application/octet-stream"],
  ["multipart/form-data; boundary=x"],
  ["nonsense"],
])("content type: a body sent as %s is read as JSON", async (type) => {
  await using own = await startTestApp({ roles: { api: true, worker: false } });
  const body = JSON.stringify(GOOD).padEnd(MIB);

  const response = await post(own, "/tasks/a/", body, { "content-type": type });

  expect(response.status).toBe(200);
});
