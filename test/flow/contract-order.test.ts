import { afterAll, beforeAll, expect, test } from "bun:test";
import { getJson, postTo } from "../http/answers.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import { type Enqueued, enqueue, untilEnded, untilExecution } from "../support/client.ts";
import { testEngine } from "../support/engine.ts";

const TRAPS = "trap 'exit 0' TERM; echo up; while :; do sleep 0.1; done";
const UNTIL_STOPPED = { command: ["sh", "-c", TRAPS] };

let app: TestApp;
beforeAll(async () => {
  const { host } = await testEngine();
  const dockerHosts = [
    { match: "^single", hosts: [host], maxRunning: 1 },
    { match: "^other", hosts: [host], maxRunning: 20 },
    { match: "", hosts: [host], maxRunning: 20 },
  ];
  app = await startTestApp({ config: { dockerHosts } });
});
afterAll(() => app[Symbol.asyncDispose]());

const untilUp = (job: Enqueued) => untilExecution(job, ({ log }) => log === "up\n");

async function stopAndWait(...jobs: Enqueued[]) {
  for (const { jobUrl } of jobs) await postTo(jobUrl, "stop");
  await Promise.all(jobs.map((job) => untilEnded(job)));
}

test("priority: the higher one runs first, then the older one", async () => {
  const holder = await enqueue(app.url, "single", UNTIL_STOPPED);
  await untilUp(holder);
  const jobs: Enqueued[] = [];
  for (const priority of [undefined, -100, 0, 100, 100]) {
    const keys = priority === undefined ? {} : { priority };
    jobs.push(await enqueue(app.url, "single", { command: "true", ...keys }));
  }

  await stopAndWait(holder);
  const ended = await Promise.all(jobs.map((job) => untilEnded(job)));

  const byStart = ended
    .map(({ startedAt }, place) => ({ startedAt: startedAt ?? "", place }))
    .sort((left, right) => (left.startedAt < right.startedAt ? -1 : 1));
  expect(byStart.map(({ place }) => place)).toEqual([3, 4, 0, 2, 1]);
});

test("concurrencyKey, concurrencyLimit: no more run at once, whatever their task and pool", async () => {
  const keys = { concurrencyKey: "shared", concurrencyLimit: 2 };
  const script = "echo begin; sleep 0.3; echo end";
  const command = ["sh", "-c", script];
  const tasks = ["one", "two", "other-1", "other-2", "one", "other-1"];
  const jobs = await Promise.all(tasks.map((task) => enqueue(app.url, task, { command, ...keys })));

  const ended = await Promise.all(jobs.map((job) => untilEnded(job)));

  const spans = ended.map((each) => ({
    from: Date.parse(each.startedAt ?? ""),
    to: Date.parse(each.finishedAt ?? ""),
  }));
  const atOnce = spans.map(
    ({ from }) => spans.filter((other) => other.from <= from && from < other.to).length,
  );
  expect(ended.every(({ status }) => status === "done")).toBe(true);
  expect(Math.max(...atOnce)).toBeLessThanOrEqual(2);
});

test("concurrencyKey, concurrencyLimit: a key that is full holds up no other", async () => {
  const holder = await enqueue(app.url, "one", { ...UNTIL_STOPPED, concurrencyKey: "full" });
  await untilUp(holder);

  const behind = await enqueue(app.url, "one", { command: "true", concurrencyKey: "full" });
  const others = await Promise.all([
    enqueue(app.url, "one", { command: "true", concurrencyKey: "free" }),
    enqueue(app.url, "one", { command: "true" }),
  ]);

  for (const other of others) expect(await untilEnded(other)).toMatchObject({ status: "done" });
  const { reasons } = await getJson(`${behind.executionUrl}why/`);
  expect(reasons[0]).toMatchObject({ code: "key_full", executions: [holder.executionId] });
  await stopAndWait(holder);
  expect(await untilEnded(behind)).toMatchObject({ status: "done" });
});
