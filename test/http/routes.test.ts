import { afterAll, beforeAll, expect, test } from "bun:test";
import { openStore, type Store } from "../../src/store/connect.ts";
import { insertLogSegments } from "../../src/store/log-chunks.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import { type Enqueued, enqueue, getExecution } from "../support/client.ts";
import { startFaultProxy } from "../support/fault-proxy.ts";
import { errorOf, jsonOf, rawRequest } from "./request.ts";

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const UUID = /^[0-9a-f-]{36}$/;
const NONE = "5a023792-1445-44e9-8a8b-cfe5ad05d1c6";

let app: TestApp;
let store: Store;
let job: Enqueued;
beforeAll(async () => {
  app = await startTestApp({ roles: { api: true, worker: false } });
  store = openStore({ address: app.database.address, max: 1 });
  job = await enqueue(app.url, "first", { command: "ls -lah" });
});
afterAll(async () => {
  await store.close();
  await app[Symbol.asyncDispose]();
});

const getJson = async (url: string) => jsonOf(await fetch(url));
const jobOf = async (url: string) => (await getJson(url)).job;

async function log(of: Enqueued, stream: "stdout" | "stderr", text: string | Uint8Array) {
  const [{ next } = { next: 1 }] = await store.sql<{ next: number }[]>`
    SELECT coalesce(max(seq + frames), 1)::int AS next FROM fastlane.log_chunks
    WHERE execution_id = ${of.executionId}`;
  const data = typeof text === "string" ? new TextEncoder().encode(text) : text;
  const frames = [{ stream, at: { seconds: 1_700_000_000, nanos: next }, data }];
  await store.db.transaction((tx) =>
    insertLogSegments(tx, [{ executionId: of.executionId, seq: next, frames }]),
  );
}

test("an enqueued job is answered as in the reference", () => {
  const task = `${app.url}/tasks/first`;
  expect(job.executionId).toMatch(UUID);
  expect(job).toEqual({
    executionId: job.executionId,
    executionUrl: `${task}/jobs/${job.jobId}/executions/${job.executionId}/`,
    jobId: job.jobId,
    jobUrl: `${task}/jobs/${job.jobId}`,
    queueJobId: job.queueJobId,
    taskId: "first",
    taskUrl: task,
  });
});

test("every route answers with and without a slash at its end", async () => {
  const parts = ["logs", "stdout", "stderr", "stream"];
  const execution = job.executionUrl.slice(0, -1);
  const urls = [
    ...["", "/tasks", "/tasks/first", "/healthcheck", "/status"].map((path) => app.url + path),
    ...[job.jobUrl, execution].flatMap((url) => [url, ...parts.map((part) => `${url}/${part}`)]),
    `${job.jobUrl}/stream/executions/${job.executionId}`,
  ];
  for (const url of urls) {
    const answers = await Promise.all([fetch(url), fetch(`${url}/`)]);
    expect(answers.map(({ status }) => [url, status])).toEqual([
      [url, 200],
      [url, 200],
    ]);
  }
});

test("every WebSocket and event stream has its URL with and without a slash, in each spelling", async () => {
  const execution = job.executionUrl.slice(0, -1);
  const urls = [`${app.url}/tail`, job.jobUrl, execution, execution.replace("/jobs/", "/job/")];
  const asked = [...urls.map((url) => `${url}/ws`), `${execution}/events`];

  const statuses = asked.map(async (url) => {
    const answers = await Promise.all(
      [url, `${url}/`].map((each) => fetch(each, { method: "HEAD" })),
    );
    return answers.map(({ status }) => status);
  });

  expect(await Promise.all(statuses)).toEqual([...urls.map(() => [426, 426]), [200, 200]]);
});

test.each([[{}], [{ "content-type": "text/plain" }], [{ "content-type": "image/png" }]])(
  "a JSON body is read whatever its type: %p",
  async (headers: Record<string, string>) => {
    const body = JSON.stringify({ image: "busybox", command: ["echo", "a b"] });

    const answer = await fetch(`${app.url}/tasks/types`, { method: "POST", body, headers });

    expect(answer.status).toBe(200);
    const { executionUrl } = await jsonOf(answer);
    expect((await getJson(executionUrl)).execution.command).toBe("echo 'a b'");
  },
);

test.each([
  ["a".repeat(200)],
  ["😀".repeat(200)],
  ["100%"],
  ["ä ö/".replace("/", "?")],
  ["a..b"],
  ["..."],
  ["#a&b=c+d"],
])("the task id %s comes back as it was sent", async (id) => {
  const made = await enqueue(app.url, encodeURIComponent(id), { command: "true" });

  const task = await getJson(`${made.taskUrl}/`);
  expect(made.taskId).toBe(id);
  expect(task.taskId).toBe(id);
  expect(task.jobs[0].url).toBe(made.jobUrl);
  expect((await fetch(made.executionUrl)).status).toBe(200);
});

test("times, statuses and the one who asked are told", async () => {
  const { job: details, task } = await getJson(job.jobUrl);

  expect(task).toEqual({ id: "first", url: `${app.url}/tasks/first` });
  expect(details.createdAt).toMatch(ISO);
  expect(details.lastModifiedAt).toMatch(ISO);
  expect(details.requestIPAddress).toBe("127.0.0.1");
  expect(details.executionCount).toBe(1);
  expect(details.executions[0]).toMatchObject({
    command: "ls -lah",
    error: "",
    exitCode: null,
    finishedAt: null,
    image: "busybox",
    log: "",
    metadata: { container_id: null, docker_host: null, docker_port: null },
    requestIPAddress: "127.0.0.1",
    startedAt: null,
    status: "enqueued",
  });
});

test("secret variables are not shown, and numbers are texts", async () => {
  const envs = { SMTP_PASSWORD: "p", API_TOKEN: "t", HOST: "h", PORT: 25, TLS: true };
  const made = await enqueue(app.url, "secrets", { command: "true", envs });

  expect((await jobOf(made.jobUrl)).metadata.envs).toEqual({
    SMTP_PASSWORD: "***",
    API_TOKEN: "***",
    HOST: "h",
    PORT: "25",
    TLS: "true",
  });
});

test("metadata comes back as it was sent, whatever its keys are", async () => {
  const metadata = JSON.parse('{"constructor": 1, "__proto__": {"a": [null, "é\\\\u0000"]}}');
  const made = await enqueue(app.url, "custom", { command: "true", metadata });

  const { custom } = (await jobOf(made.jobUrl)).metadata;
  expect(JSON.stringify(custom, Object.keys(custom).sort())).toBe(
    JSON.stringify(metadata, Object.keys(metadata).sort()),
  );
});

test("a host is shown as host and port", async () => {
  const made = await enqueue(app.url, "hosts", { command: "true" });
  await store.sql`INSERT INTO fastlane.hosts (name) VALUES ('tcp://10.0.0.7:2375')`;
  await store.sql`UPDATE fastlane.executions SET status = 'running', claimed_at = now(), host = 'tcp://10.0.0.7:2375',
    container_id = ${"a".repeat(64)}, started_at = now() WHERE id = ${made.executionId}`;

  const { metadata } = await getExecution(made);
  const status = await getJson(`${app.url}/status/`);

  expect(metadata).toEqual({
    container_id: "a".repeat(64),
    docker_host: "10.0.0.7",
    docker_port: 2375,
    retry: 0,
    retryOf: null,
    tickAt: null,
  });
  expect(Object.keys(status).sort()).toEqual([
    "containers",
    "fastlane",
    "hosts",
    "jobs",
    "pools",
    "queues",
    "store",
    "tasks",
  ]);
  expect(status.containers.running).toMatchObject([{ host: "10.0.0.7", port: 2375 }]);
  expect(status.queues.monitor).toEqual({ length: 1 });
  expect(status.queues.jobs.length).toBeGreaterThan(0);
  expect(status.fastlane).toEqual({ version: "test", executor: "docker" });
});

test("text routes give the whole log, JSON its last 64 KiB", async () => {
  const made = await enqueue(app.url, "long", { command: "true" });
  const stdout = `\ufeffbegin ${"é".repeat(50_000)} end\n`;
  await log(made, "stdout", stdout);
  await log(made, "stderr", "err\n");

  const texts = await Promise.all(
    ["logs/", "stdout", "stderr/"].map(async (kind) => fetch(made.executionUrl + kind)),
  );
  const execution = await getExecution(made);

  const bodies = await Promise.all(texts.map(async (text) => `${Buffer.from(await text.bytes())}`));
  expect(bodies).toEqual([`${stdout}\n-=-\nerr\n`, stdout, "err\n"]);
  for (const { headers } of texts) {
    expect(headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(headers.get("fastlane-exit-code")).toBeNull();
  }
  expect(execution.logTruncated).toBe(true);
  expect(execution.log.endsWith("é end\n")).toBe(true);
  expect(Buffer.byteLength(execution.log)).toBeLessThanOrEqual(64 * 1024);
  expect(execution.log).not.toContain("\ufffd");
  expect(execution.error).toBe("err\n");
});

test("a log of 64 KiB is whole in JSON, its first character too", async () => {
  const made = await enqueue(app.url, "long", { command: "true" });
  await log(made, "stdout", `\ufeff${"x".repeat(64 * 1024 - 3)}`);

  const execution = await getExecution(made);

  expect(execution.logTruncated).toBeUndefined();
  expect(execution.log.length).toBe(64 * 1024 - 2);
});

test("an exit code is told in a header of the text routes", async () => {
  const made = await enqueue(app.url, "ended", { command: "true" });
  await store.sql`INSERT INTO fastlane.hosts (name) VALUES ('a:1')`;
  await store.sql`UPDATE fastlane.executions SET status = 'failed', failure_cause = 'exit_code',
    exit_code = 3, host = 'a:1', container_id = ${"a".repeat(64)}, started_at = now(),
    finished_at = now() WHERE id = ${made.executionId}`;

  const answer = await fetch(`${made.jobUrl}/stdout/`, { method: "HEAD" });

  expect(answer.headers.get("fastlane-exit-code")).toBe("3");
  expect(await answer.text()).toBe("");
});

test("lists are paged, with the keys of the reference", async () => {
  for (let i = 0; i < 3; i++) await enqueue(app.url, "paged", { command: `echo ${i}` });

  const page = await getJson(`${app.url}/tasks/paged/?perPage=2`);
  const next = await getJson(page.nextUrl);
  const tasks = await getJson(`${app.url}/tasks/?page=2&perPage=1`);

  expect(page).toMatchObject({ hasNext: true, hasPrev: false, page: 1, pages: 2, perPage: 2 });
  expect(page.total).toBe(3);
  expect(next).toMatchObject({ hasNext: false, hasPrev: true, nextUrl: null, page: 2 });
  const jobs = [...page.jobs, ...next.jobs];
  expect(Object.keys(jobs[0]).sort()).toEqual(["createdAt", "id", "url"]);
  const times = jobs.map((job: { createdAt: string }) => job.createdAt);
  expect(times).toEqual([...times].sort().reverse());
  expect(tasks.items).toHaveLength(1);
  expect(tasks.prevUrl).toBe(`${app.url}/tasks/?page=1&perPage=1`);
  expect((await getJson(`${app.url}/tasks/`)).perPage).toBe(10);
  expect((await getJson(`${app.url}/tasks/paged/`)).perPage).toBe(100);
});

test.each([
  ["page=0"],
  ["page=-1"],
  ["page=1.5"],
  ["page="],
  ["page=x"],
  ["perPage=0"],
  ["perPage=101"],
])("?%s is refused", async (query) => {
  await errorOf(await fetch(`${app.url}/tasks/?${query}`), 400);
  await errorOf(await fetch(`${app.url}/tasks/first/?${query}`), 400);
});

test.each([
  ["/tasks/none/"],
  ["/tasks/first/jobs/none/"],
  [`/tasks/first/jobs/${NONE}/`],
  [`/tasks/first/jobs/${NONE}/stdout/`],
  [`/tasks/first/jobs/JOB/executions/${NONE}/`],
  ["/tasks/first/jobs/JOB/executions/none/logs/"],
  ["/tasks/other/jobs/JOB/"],
  ["/nothing"],
  ["/tasks/first/jobs/JOB/nothing/"],
])("%s is not found", async (path) => {
  await errorOf(await fetch(app.url + path.replace("JOB", job.jobId)), 404);
});

test.each([
  ["POST", "/tasks/", "GET, HEAD, OPTIONS"],
  ["PUT", "/tasks/first/", "GET, HEAD, OPTIONS, POST"],
  ["DELETE", "/tasks/first", "GET, HEAD, OPTIONS, POST"],
  ["PATCH", `/tasks/first/jobs/${NONE}/logs/`, "GET, HEAD, OPTIONS"],
])("%s %s is not allowed, and told what is", async (method, path, allow) => {
  const answer = await fetch(app.url + path, { method });

  await errorOf(answer, 405);
  expect(answer.headers.get("allow")).toBe(allow);
});

test("a slash too many between a URL of an answer and what is put behind it does no harm", async () => {
  const why = await fetch(`${job.executionUrl}/why/`);
  const stdout = await fetch(`${job.jobUrl}//stdout`);

  expect([why.status, stdout.status]).toEqual([200, 200]);
});

test("OPTIONS tells what is allowed", async () => {
  const known = await fetch(`${app.url}/status/`, { method: "OPTIONS" });
  const unknown = await fetch(`${app.url}/nothing/`, { method: "OPTIONS" });

  expect([known.status, known.headers.get("allow")]).toEqual([204, "GET, HEAD, OPTIONS"]);
  expect(unknown.status).toBe(404);
});

test("HEAD answers as GET does, without a body", async () => {
  const { head, body } = await rawRequest(app, "HEAD /tasks/first/");

  expect(head).toContain("200 ok");
  expect(head).toContain("application/json");
  expect(body).toBe("");
});

test("health tells when Postgres is away, and when it is back", async () => {
  const { hostname, port } = new URL(app.database.url);
  await using proxy = await startFaultProxy({ target: { host: hostname, port: Number(port) } });
  const config = { databaseUrl: proxy.url(app.database.url) };
  const roles = { api: true, worker: false };
  await using other = await startTestApp({ database: app.database, config, roles });
  const well = await fetch(`${other.url}/healthcheck/`);

  await proxy.set("refuse");
  proxy.cut();
  const ill = await fetch(`${other.url}/healthcheck/`);
  const list = await fetch(`${other.url}/tasks/`);
  await proxy.set("pass");

  expect([well.status, await jsonOf(well)]).toEqual([
    200,
    { errors: [], postgres: true, queue: true },
  ]);
  const { errors, ...parts } = await jsonOf(ill);
  expect(ill.status).toBe(500);
  expect(parts).toEqual({ postgres: false, queue: true });
  expect(errors.map((error: object) => Object.keys(error).sort())).toEqual([["message", "source"]]);
  await errorOf(list, 503);
  expect((await fetch(`${other.url}/healthcheck/`)).status).toBe(200);
});
