import { afterAll, beforeAll, expect, test } from "bun:test";
import { openStore, type Store } from "../../src/store/connect.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import { type Enqueued, enqueue, eventually, getExecution } from "../support/client.ts";
import { startFaultProxy } from "../support/fault-proxy.ts";
import { getJob, getJson, postTo } from "./answers.ts";
import { jsonOf, post } from "./request.ts";

const GOOD = JSON.stringify({ image: "busybox", command: "true" });
const SECRET = "hunter2-is-never-shown";
const API = { api: true, worker: false };

let app: TestApp;
let store: Store;
beforeAll(async () => {
  app = await startTestApp({ roles: API });
  store = openStore({ address: app.database.address, max: 1 });
});
afterAll(async () => {
  await store.close();
  await app[Symbol.asyncDispose]();
});

async function setRunning({ executionId }: Enqueued, host: string) {
  await store.sql`INSERT INTO fastlane.hosts (name) VALUES (${host}) ON CONFLICT DO NOTHING`;
  await store.sql`UPDATE fastlane.executions SET status = 'running', claimed_at = now(),
    host = ${host}, container_id = ${"a".repeat(64)}, started_at = now() WHERE id = ${executionId}`;
}

const REDACTED = ["SMTP_PASSWORD", "apikey", "My_Secret_Thing", "OAUTH_CLIENT_ID", "GH_TOKEN"];

test("redaction: a variable with a secret word in its key is *** in every answer", async () => {
  const envs = Object.fromEntries([...REDACTED, "PLAIN"].map((name) => [name, SECRET + name]));
  const made = await enqueue(app.url, "secret", { command: "true", envs });
  await enqueue(app.url, "secret", { command: "true", envs, startIn: "1h" });
  const { jobUrl, executionUrl, taskUrl } = made;
  const reads = [jobUrl, `${jobUrl}/why`, executionUrl, `${executionUrl}why`, taskUrl];
  reads.push(`${app.url}/executions`, `${app.url}/status`, `${jobUrl}/logs`);

  const answers = await Promise.all(reads.map(async (url) => (await fetch(url)).text()));

  expect((await getJob(made)).metadata.envs).toEqual({
    ...Object.fromEntries(REDACTED.map((name) => [name, "***"])),
    PLAIN: `${SECRET}PLAIN`,
  });
  const said = [JSON.stringify(made), ...answers, ...app.complaints].join("\n");
  expect(said.replaceAll(`${SECRET}PLAIN`, "")).not.toContain(SECRET);
});

test("redaction: the words are those of the configuration, in any case", async () => {
  const config = { envBlacklistedWords: ["Phrase"] };
  await using own = await startTestApp({ config, roles: API });
  const envs = { PASSPHRASE: SECRET, PASSWORD: "shown" };

  const made = await enqueue(own.url, "secret", { command: "true", envs });

  expect((await getJob(made)).metadata.envs).toEqual({ PASSPHRASE: "***", PASSWORD: "shown" });
});

test.each([
  ["tcp://10.0.0.7:2375", "10.0.0.7", 2375],
  ["docker.example:2375", "docker.example", 2375],
  ["tcp://[fd00::1]:2376", "fd00::1", 2376],
  ["unix:///var/run/docker.sock", "unix:///var/run/docker.sock", null],
  ["ssh://ops@10.0.0.8", "ssh://ops@10.0.0.8", null],
])("hosts in JSON: %s is %s and %p", async (name, host, port) => {
  const made = await enqueue(app.url, "hosts", { command: "true" });
  await setRunning(made, name);

  const { metadata } = await getExecution(made);
  const { containers } = await getJson(`${app.url}/status/`);

  expect(metadata).toMatchObject({ docker_host: host, docker_port: port });
  expect(containers.running.at(-1)).toMatchObject({ host, port });
});

const PEER = "127.0.0.1";
test.each<[string, string[], Record<string, string>, string]>([
  ["the peer", [], {}, PEER],
  ["X-Real-IP", [], { "x-real-ip": "9.9.9.9", "x-forwarded-for": "1.2.3.4" }, "9.9.9.9"],
  ["the first X-Forwarded-For", [], { "x-forwarded-for": "1.2.3.4, 5.6.7.8" }, "1.2.3.4"],
  ["what a trusted proxy says", [PEER], { "x-real-ip": "fd00::9" }, "fd00::9"],
  ["not what a stranger says", ["10.0.0.0/8"], { "x-real-ip": "9.9.9.9" }, PEER],
  ["not what is no address", [], { "x-real-ip": "<script>" }, PEER],
])("who asked: it is %s", async (_, trustedProxies, headers, address) => {
  await using own = await startTestApp({
    config: { trustedProxies },
    roles: API,
    database: app.database,
  });

  const made = await jsonOf(await post(own, "/tasks/asked/", GOOD, headers));

  expect((await getJob(made)).requestIPAddress).toBe(address);
  expect((await getExecution(made)) as object).toMatchObject({ requestIPAddress: address });
});

test("health: a service that is well answers 200, at / as well unless a browser asks", async () => {
  const well = { errors: [], postgres: true, queue: true };

  const [health, root, any] = await Promise.all([
    fetch(`${app.url}/healthcheck/`),
    fetch(app.url, { headers: { accept: "application/json" } }),
    fetch(app.url, { headers: { accept: "*/*" } }),
  ]);
  const headers = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
  const browser = await fetch(app.url, { headers, redirect: "manual" });

  for (const answer of [health, root, any]) {
    expect([answer.status, await jsonOf(answer)]).toEqual([200, well]);
  }
  expect(browser.headers.get("content-type") ?? "").not.toContain("json");
});

test("health: 500 with an error for each part that failed, and 200 when they are back", async () => {
  const { hostname, port } = new URL(app.database.url);
  await using proxy = await startFaultProxy({ target: { host: hostname, port: Number(port) } });
  const config = { databaseUrl: proxy.url(app.database.url) };
  await using own = await startTestApp({ database: app.database, config });
  const ask = () => fetch(`${own.url}/healthcheck/`);

  await proxy.set("refuse");
  proxy.cut();
  const ill = await eventually(
    async () => {
      const answer = await ask();
      const body = await jsonOf(answer);
      return body.errors.length === 2 ? { status: answer.status, body } : undefined;
    },
    () => "the queue still counts as well",
    60_000,
  );
  await proxy.set("pass");

  expect(ill.status).toBe(500);
  expect(ill.body).toMatchObject({ postgres: false, queue: false });
  const sources = ill.body.errors.map(({ source }: { source: string }) => source);
  expect(sources).toEqual(["postgres", "queue"]);
  for (const error of ill.body.errors) {
    expect(Object.keys(error).sort()).toEqual(["message", "source"]);
    expect(error.message).not.toBe("");
  }
  const isWell = async () => ((await ask()).status === 200 ? true : undefined);
  await eventually(isWell, () => "the service is not well again", 60_000);
});

test("status: the reference's keys, what runs and what waits", async () => {
  await using own = await startTestApp({ roles: API });
  const empty = await getJson(`${own.url}/status/`);
  await enqueue(own.url, "one", { command: "true" });

  const one = await getJson(`${own.url}/status/`);

  expect(empty).toEqual({
    containers: { running: [] },
    fastlane: { version: "test", executor: "docker" },
    hosts: [
      {
        host: expect.any(String),
        port: null,
        name: expect.any(String),
        pools: [""],
        available: false,
        blacklisted: false,
        blacklistedAt: null,
        drainDeadline: null,
        circuit: "closed",
        failures: 0,
        nextProbeAt: null,
        error: "No worker attends to this host",
        engineVersion: null,
        running: 0,
        lease: null,
        lastSeenAt: null,
        unreachableSince: null,
      },
    ],
    pools: [{ match: "", hosts: [expect.any(String)], running: 0, waiting: 0, maxRunning: 20 }],
    jobs: { count: 0, scheduled: [] },
    queues: {
      jobs: { length: 0 },
      monitor: { length: 0 },
      webhooks: { length: 0 },
      notify: { length: 0 },
      error: { length: 0 },
      scheduled: { length: 0, nextTimeStamp: null, nextHumanReadableDate: null },
    },
    store: expect.any(Object),
    tasks: { count: 0 },
  });
  expect([one.jobs.count, one.tasks.count, one.queues.jobs.length]).toEqual([1, 1, 1]);
  expect(one.pools).toMatchObject([{ running: 0, waiting: 1 }]);
});

test("status: a scheduled job has nextScheduledAt, url and a stopUrl that stops it", async () => {
  await using own = await startTestApp({ roles: API });
  const startAt = "2100-01-01T00:00:00.000Z";
  await enqueue(own.url, "later", { command: "true", startAt: "2100-06-01T00:00:00Z" });
  const made = await enqueue(own.url, "later", { command: "true", startAt });

  const { jobs, queues } = await getJson(`${own.url}/status/`);
  const [next] = jobs.scheduled;

  const ids = { id: made.jobId, task: { id: "later", url: made.taskUrl }, url: made.jobUrl };
  expect(next).toEqual({ ...ids, nextScheduledAt: startAt, stopUrl: `${made.jobUrl}/stop/` });
  expect(queues.scheduled).toEqual({
    length: 2,
    nextTimeStamp: Date.parse(startAt) / 1_000,
    nextHumanReadableDate: "Fri, 01 Jan 2100 00:00:00 GMT",
  });
  expect((await postTo(next.stopUrl.replace("/stop/", ""), "stop")).status).toBe(200);
  const after = await getJson(`${own.url}/status/`);
  expect([after.jobs.scheduled.length, after.queues.scheduled.length]).toEqual([1, 1]);
});
