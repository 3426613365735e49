import { afterAll, beforeAll, expect, test } from "bun:test";
import { getJob, postTo } from "../http/answers.ts";
import { errorOf, jsonOf } from "../http/request.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import {
  type Enqueued,
  enqueue,
  eventually,
  getExecution,
  untilEnded,
  untilExecution,
} from "../support/client.ts";
import { testEngine } from "../support/engine.ts";

const TRAPS = "trap 'exit 0' TERM; echo up; while :; do sleep 0.1; done";
const UNTIL_STOPPED = { command: ["sh", "-c", TRAPS] };

let app: TestApp;
beforeAll(async () => {
  const { host } = await testEngine();
  const dockerHosts = [
    { match: "^full", hosts: [host], maxRunning: 1 },
    { match: "", hosts: [host], maxRunning: 20 },
  ];
  app = await startTestApp({ config: { dockerHosts } });
});
afterAll(() => app[Symbol.asyncDispose]());

async function retry(job: Enqueued): Promise<Enqueued> {
  const response = await postTo(job.jobUrl, "retry");
  expect(response.status).toBe(200);
  return await jsonOf(response);
}

test("retry: what has ended runs once more, with the same details", async () => {
  const envs = { GREETING: "hello" };
  const command = ["sh", "-c", "echo $GREETING; exit 3"];
  const job = await enqueue(app.url, "again", { command, envs });
  await untilEnded(job);

  const again = await retry(job);
  const ended = await untilEnded(again);

  expect(again).toEqual({
    ...job,
    executionId: again.executionId,
    executionUrl: `${job.jobUrl}/executions/${again.executionId}/`,
    queueJobId: again.queueJobId,
  });
  expect(again.executionId).not.toBe(job.executionId);
  expect(ended).toMatchObject({ log: "hello\n", exitCode: 3, image: "busybox" });
  const { executionCount, executions } = await getJob(job);
  const ids = executions.map(({ executionId }: { executionId: string }) => executionId);
  expect([executionCount, ids]).toEqual([2, [again.executionId, job.executionId]]);
});

test("retry: a running one is stopped first, and the new one begins when it has ended", async () => {
  const job = await enqueue(app.url, "runs", UNTIL_STOPPED);
  await untilExecution(job, ({ log }) => log === "up\n");

  const again = await retry(job);
  const ended = await untilEnded(job);
  const running = await untilExecution(again, ({ log }) => log === "up\n");

  expect(ended).toMatchObject({ status: "stopped", failureCause: "stopped" });
  expect(Date.parse(running.startedAt ?? "")).toBeGreaterThanOrEqual(
    Date.parse(ended.finishedAt ?? ""),
  );
  await postTo(job.jobUrl, "stop");
  expect(await untilEnded(again)).toMatchObject({ status: "stopped" });
});

test("retry: a waiting one is stopped, and the new one waits in its place", async () => {
  const holder = await enqueue(app.url, "full", UNTIL_STOPPED);
  await untilExecution(holder, ({ log }) => log === "up\n");
  const job = await enqueue(app.url, "full", { command: "echo ran" });

  const again = await retry(job);

  expect(await getExecution(job)).toMatchObject({ status: "stopped", exitCode: null });
  expect(await getExecution(again)).toMatchObject({ status: "enqueued" });
  await postTo(holder.jobUrl, "stop");
  expect(await untilEnded(again)).toMatchObject({ status: "done", log: "ran\n" });
});

test("retry: one that was stopped runs again", async () => {
  const job = await enqueue(app.url, "stopped", UNTIL_STOPPED);
  await postTo(job.jobUrl, "stop");
  await untilEnded(job);

  const again = await retry(job);

  await untilExecution(again, ({ log }) => log === "up\n");
  await postTo(job.jobUrl, "stop");
  await untilEnded(again);
});

test("retry: a new execution has the job's retries from the beginning", async () => {
  const payload = { command: "false", retries: 1, backoff: { minMs: 1 } };
  const job = await enqueue(app.url, "retries", payload);
  const countIs = (count: number) =>
    eventually(
      async () =>
        (await getJob(job)).executions.filter(isFailed).length === count ? true : undefined,
      () => `not ${count} executions have failed`,
    );
  await countIs(2);

  await retry(job);
  await countIs(4);

  expect((await getJob(job)).executionCount).toBe(4);
});

const isFailed = ({ status }: { status: string }) => status === "failed";

test("retry: of a job that is scheduled is a 400", async () => {
  for (const when of [{ startIn: "1h" }, { cron: "0 0 1 1 *" }]) {
    const job = await enqueue(app.url, "later", { command: "true", ...when });

    const { error, operation } = await errorOf(await postTo(job.jobUrl, "retry"), 400);

    expect([error, operation]).toEqual(["Can't retry a scheduled job.", "retryJob"]);
    expect((await getJob(job)).executionCount).toBe(0);
  }
});

test("retry: of a job that has no execution yet is a 400", async () => {
  const job = await enqueue(app.url, "later", { command: "true", startIn: "1h" });
  await postTo(job.jobUrl, "stop");

  const { error } = await errorOf(await postTo(job.jobUrl, "retry"), 400);

  expect(error).toBe("No execution yet to retry.");
});
