import { afterAll, beforeAll, expect, test } from "bun:test";
import { getJob, getJson, postTo } from "../http/answers.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import {
  type Enqueued,
  type ExecutionJson,
  enqueue,
  eventually,
  untilEnded,
  untilExecution,
} from "../support/client.ts";
import { recordStarts } from "../support/containers.ts";
import { testEngine } from "../support/engine.ts";

const TRAPS = "trap 'exit 9' TERM; echo up; while :; do sleep 0.1; done";
const FAST = { minMs: 1, maxMs: 1 };

let app: TestApp;
beforeAll(async () => {
  const { host } = await testEngine();
  const dockerHosts = [
    { match: "^full", hosts: [host], maxRunning: 1 },
    { match: "", hosts: [host], maxRunning: 20 },
  ];
  app = await startTestApp({ config: { dockerHosts, hardExecutionTimeoutSeconds: 3 } });
});
afterAll(() => app[Symbol.asyncDispose]());

const exit = (code: number) => ({ command: ["sh", "-c", `exit ${code}`] });

/** A job's executions, oldest first, when there are so many and all have ended. */
async function untilAllEnded(job: Enqueued, count: number): Promise<ExecutionJson[]> {
  return await eventually(
    async () => {
      const { executions }: { executions: ExecutionJson[] } = await getJob(job);
      const ended = executions.filter(({ finishedAt }) => finishedAt !== null);
      return ended.length === count ? executions.toReversed() : undefined;
    },
    () => `not ${count} executions have ended`,
  );
}

test("retries: so many more executions after one that failed, the last of them the last", async () => {
  const job = await enqueue(app.url, "tries", { ...exit(1), retries: 2, backoff: FAST });

  const executions = await untilAllEnded(job, 3);

  const [first, second, third] = executions;
  expect(executions.map(({ exitCode }) => exitCode)).toEqual([1, 1, 1]);
  expect(executions.map(({ metadata }) => [metadata.retry, metadata.retryOf])).toEqual([
    [0, null],
    [1, first?.executionId ?? ""],
    [2, second?.executionId ?? ""],
  ]);
  expect((await getJob(job)).metadata).toMatchObject({ retries: 2, retry_count: 2 });
  const { reasons } = await getJson(`${job.jobUrl}/executions/${third?.executionId}/why/`);
  expect(reasons.map(({ code }: { code: string }) => code)).toEqual(["exit_code"]);
});

test("retries: none follow on exit code 0, nor when 0 are allowed", async () => {
  const [done, once] = await Promise.all([
    enqueue(app.url, "tries", { ...exit(0), retries: 5, backoff: FAST }),
    enqueue(app.url, "tries", { ...exit(1), backoff: FAST }),
  ]);
  await Promise.all([untilEnded(done), untilEnded(once)]);

  // A retry is made in the transaction that writes the end, so it would be there.
  expect((await getJob(done)).executionCount).toBe(1);
  expect((await getJob(once)).executionCount).toBe(1);
});

test("retries: one that timed out is retried as well", async () => {
  const command = ["sh", "-c", TRAPS];
  const job = await enqueue(app.url, "tries", { command, timeout: 1, retries: 1, backoff: FAST });

  const executions = await untilAllEnded(job, 2);

  expect(executions.map(({ status }) => status)).toEqual(["timedout", "timedout"]);
});

test("backoff: a retry begins when the delay is over, which grows by the factor up to maxMs", async () => {
  const backoff = { minMs: 300, factor: 3, maxMs: 700, jitter: false };
  const job = await enqueue(app.url, "tries", { ...exit(1), retries: 2, backoff });

  const executions = await untilAllEnded(job, 3);

  const delays = executions.slice(1).map(({ startedAt }, index) => {
    const before = executions[index]?.finishedAt ?? "";
    return Date.parse(startedAt ?? "") - Date.parse(before);
  });
  expect(delays[0]).toBeGreaterThanOrEqual(300);
  expect(delays[1]).toBeGreaterThanOrEqual(700);
});

test("retryOn: an exit code outside the list is not retried, one inside is", async () => {
  const rules = { retries: 1, backoff: FAST, retryOn: [7, 8] };
  const [inside, outside] = await Promise.all([
    enqueue(app.url, "tries", { ...exit(8), ...rules }),
    enqueue(app.url, "tries", { ...exit(9), ...rules }),
  ]);

  await untilAllEnded(inside, 2);
  await untilEnded(outside);

  expect((await getJob(outside)).executionCount).toBe(1);
});

test("timeout: reached, the execution ends as timedout with its process's exit code", async () => {
  const job = await enqueue(app.url, "tries", { command: ["sh", "-c", TRAPS], timeout: 1 });

  const ended = await untilEnded(job);

  expect(ended).toMatchObject({ status: "timedout", failureCause: "timeout", exitCode: 9 });
  expect(ended.log).toBe("up\n");
  const ranMs = Date.parse(ended.finishedAt ?? "") - Date.parse(ended.startedAt ?? "");
  expect(ranMs).toBeWithin(900, 2_900);
});

test("timeout: a longer one than the service's hard limit is cut to that", async () => {
  const job = await enqueue(app.url, "tries", { command: ["sh", "-c", TRAPS], timeout: 1_000 });

  const ended = await untilEnded(job);

  expect(ended).toMatchObject({ status: "timedout", exitCode: 9 });
  const ranMs = Date.parse(ended.finishedAt ?? "") - Date.parse(ended.startedAt ?? "");
  expect(ranMs).toBeWithin(2_900, 8_000);
});

test("expiration: not started by then, it ends as expired and never runs", async () => {
  await using starts = await recordStarts((await testEngine()).docker);
  const holder = await enqueue(app.url, "full", { command: ["sh", "-c", TRAPS] });
  await untilExecution(holder, ({ log }) => log === "up\n");
  const expiration = Date.now() / 1_000 + 0.5;

  const job = await enqueue(app.url, "full", { command: "true", expiration, retries: 3 });
  const ended = await untilEnded(job);
  await untilEnded(holder);

  expect(ended).toMatchObject({
    status: "expired",
    failureCause: "expired",
    exitCode: null,
    startedAt: null,
    metadata: { container_id: null },
  });
  expect([(await getJob(job)).executionCount, starts.of(job.executionId)]).toEqual([1, 0]);
  expect(starts.of(holder.executionId)).toBe(1);
});

test("expiration: in the past it never runs, in the future it does no harm", async () => {
  const past = await enqueue(app.url, "tries", { command: "true", expiration: 1_000_000_000 });
  const future = await enqueue(app.url, "tries", {
    command: "true",
    expiration: "2100-01-01T00:00",
  });

  expect(await untilEnded(past)).toMatchObject({ status: "expired", startedAt: null });
  expect(await untilEnded(future)).toMatchObject({ status: "done" });
});

test("startIn: it runs when the time is over", async () => {
  const before = Date.now();
  const job = await enqueue(app.url, "later", { command: "echo ran", startIn: "1s" });

  const [execution] = await untilAllEnded(job, 1);

  expect(execution).toMatchObject({ status: "done", log: "ran\n" });
  expect(Date.parse(execution?.startedAt ?? "") - before).toBeGreaterThanOrEqual(1_000);
  expect(execution?.metadata.tickAt).not.toBeNull();
  await postTo(job.jobUrl, "stop");
});
