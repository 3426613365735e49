import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestApp, type TestApp } from "../support/app.ts";
import {
  type Enqueued,
  enqueue,
  eventually,
  untilEnded,
  untilExecution,
} from "../support/client.ts";
import { type PrivateEngine, startEngine } from "../support/engine.ts";
import { getJob, getJson, postTo } from "./answers.ts";

const TRAPS = "trap 'exit 0' TERM; echo up; while :; do sleep 0.1; done";
const UNTIL_STOPPED = { command: ["sh", "-c", TRAPS] };

let engine: PrivateEngine;
let app: TestApp;
beforeAll(async () => {
  engine = await startEngine();
  const dockerHosts = [
    { match: "^full", hosts: [engine.host], maxRunning: 1 },
    { match: "", hosts: [engine.host], maxRunning: 20 },
  ];
  app = await startTestApp({ config: { dockerHosts } });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await engine.stop();
});

interface Why {
  summary: string;
  reasons: { code: string; message: string }[];
}

/** Both routes, which say the same of a job's last execution. */
async function why({ jobUrl, executionUrl }: Enqueued): Promise<Why> {
  const [ofExecution, ofJob] = await Promise.all([
    getJson(`${executionUrl}why/`),
    getJson(`${jobUrl}/why/`),
  ]);
  expect(ofJob).toEqual(ofExecution);
  return ofExecution;
}

async function holding(task: string, keys: object = {}): Promise<Enqueued> {
  const holder = await enqueue(app.url, task, { ...UNTIL_STOPPED, ...keys });
  await untilExecution(holder, ({ log }) => log === "up\n");
  return holder;
}

async function stopAndWait(job: Enqueued) {
  await postTo(job.jobUrl, "stop");
  await untilEnded(job);
}

test("pool full: it names the pool, its limit and who holds it", async () => {
  const holder = await holding("full");
  const job = await enqueue(app.url, "full", { command: "true" });

  const { summary, reasons } = await why(job);

  expect(reasons).toEqual([
    {
      code: "pool_full",
      message: '1 run in its pool "^full", and maxRunning is 1',
      pool: "^full",
      maxRunning: 1,
      running: 1,
      executions: [holder.executionId],
    } as Why["reasons"][0],
  ]);
  expect(summary).toBe(`It waits: ${reasons[0]?.message}`);
  await stopAndWait(holder);
  await untilEnded(job);
});

test("key full: it names the key, its limit and who holds it", async () => {
  const holder = await holding("keyed", { concurrencyKey: "k" });
  const job = await enqueue(app.url, "keyed", { command: "true", concurrencyKey: "k" });

  const { reasons } = await why(job);

  const executions = [holder.executionId];
  const expected = { code: "key_full", key: "k", limit: 1, running: 1, executions };
  expect(reasons).toEqual([{ ...expected, message: expect.stringContaining('key "k"') }]);
  await stopAndWait(holder);
  await untilEnded(job);
});

test("running: where, and since when", async () => {
  const job = await holding("runs");

  const { summary, reasons } = await why(job);

  expect(reasons).toMatchObject([{ code: "running", host: engine.host } as object]);
  expect(summary).toStartWith(`It has begun: it runs on ${engine.host} since 20`);
  await stopAndWait(job);
});

test("stopped, and with which exit code its process ended", async () => {
  const job = await holding("stops");
  await stopAndWait(job);

  const { reasons } = await why(job);

  expect(reasons).toMatchObject([{ code: "stopped", exitCode: 0 } as object]);
});

test("exit code: it is told, and by which execution it was retried", async () => {
  const rules = { retries: 1, backoff: { minMs: 600_000, jitter: false } };
  const job = await enqueue(app.url, "fails", { command: ["sh", "-c", "exit 3"], ...rules });
  const oneMore = async () => ((await getJob(job)).executionCount === 2 ? true : undefined);
  await eventually(oneMore, () => "there is no retry");

  const { reasons } = await getJson(`${job.executionUrl}why/`);

  const retry = (await getJob(job)).executions[0].executionId;
  expect(reasons).toMatchObject([
    { code: "exit_code", exitCode: 3, message: "its process ended with exit code 3" },
    { code: "retried", execution: retry },
  ]);
  await postTo(job.jobUrl, "stop");
});

test("waiting for its retry: which one it is, of what, and when it begins", async () => {
  const rules = { retries: 1, backoff: { minMs: 600_000, jitter: false } };
  const job = await enqueue(app.url, "fails", { command: "false", ...rules });
  const oneMore = async () => ((await getJob(job)).executionCount === 2 ? true : undefined);
  await eventually(oneMore, () => "there is no retry");

  const { reasons } = await getJson(`${job.jobUrl}/why/`);

  const [{ availableAt, ...reason }] = reasons;
  expect(Date.parse(availableAt) - Date.now()).toBeWithin(500_000, 600_001);
  expect(reasons).toHaveLength(1);
  expect(reason).toMatchObject({ code: "retry_delay", retry: 1, retryOf: job.executionId });
  await postTo(job.jobUrl, "stop");
});

test("done: exit code 0", async () => {
  const job = await enqueue(app.url, "done", { command: "true" });
  await untilEnded(job);

  const { summary, reasons } = await why(job);

  expect(reasons).toMatchObject([{ code: "done", exitCode: 0 } as object]);
  expect(summary).toBe("It ended: its process ended with exit code 0");
});

test("expired: since when it should have begun", async () => {
  const expiration = "2020-01-01T00:00:00.000Z";
  const job = await enqueue(app.url, "expires", { command: "true", expiration });
  await untilEnded(job);

  const { reasons } = await why(job);

  expect(reasons).toMatchObject([{ code: "expired", exitCode: null } as object]);
  expect(reasons[0]?.message).toContain(expiration);
});

test("scheduled: when it runs next; and once it is stopped, that it never ran", async () => {
  const startAt = "2100-01-01T00:00:00.000Z";
  const job = await enqueue(app.url, "later", { command: "true", startAt });

  const scheduled = await getJson(`${job.jobUrl}/why/`);
  await postTo(job.jobUrl, "stop");
  const canceled = await getJson(`${job.jobUrl}/why/`);

  expect(scheduled.reasons).toMatchObject([{ code: "scheduled", nextAt: startAt, cron: null }]);
  expect(scheduled.summary).toContain(startAt);
  expect(canceled.reasons).toMatchObject([{ code: "canceled" }]);
  expect(canceled.summary).toStartWith("It never ran: ");
});

test("no host available: an engine that does not answer is named, with its error", async () => {
  await engine.pause();
  const isAway = async () => {
    const { hosts } = await getJson(`${app.url}/status/`);
    return hosts[0].available === false ? true : undefined;
  };
  await eventually(isAway, () => "the host still counts as available", 60_000);
  const job = await enqueue(app.url, "away", { command: "true" });

  const { reasons, summary } = await why(job);
  await engine.resume();

  expect(reasons).toMatchObject([
    {
      code: "no_host",
      pool: "",
      hosts: [{ host: engine.host, error: expect.any(String) }],
    } as object,
  ]);
  expect(summary).toContain("no host of its pool");
  expect(await untilEnded(job)).toMatchObject({ status: "done" });
});
