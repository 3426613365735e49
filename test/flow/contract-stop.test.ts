import { afterAll, beforeAll, expect, test } from "bun:test";
import { getJob, getJson, postTo } from "../http/answers.ts";
import { jsonOf } from "../http/request.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import {
  type Enqueued,
  enqueue,
  eventually,
  getExecution,
  untilEnded,
  untilExecution,
} from "../support/client.ts";
import { untilNoContainers } from "../support/containers.ts";
import { type DockerProxy, startDockerProxy } from "../support/docker-proxy.ts";
import { testEngine } from "../support/engine.ts";

const TRAPS = "trap 'exit 0' TERM; echo up; while :; do sleep 0.1; done";
const UNTIL_STOPPED = { command: ["sh", "-c", TRAPS], retries: 3, backoff: { minMs: 1 } };
const STOPPED = { status: "stopped", failureCause: "stopped" };
/** By the whole job, and by its execution. */
const BY = [["job"], ["execution"]] as const;

let app: TestApp;
let proxy: DockerProxy;
beforeAll(async () => {
  proxy = await startDockerProxy((await testEngine()).host);
  const dockerHosts = [
    { match: "^full", hosts: [proxy.host], maxRunning: 1 },
    { match: "", hosts: [proxy.host], maxRunning: 20 },
  ];
  app = await startTestApp({ config: { dockerHosts } });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
});

const urlOf = (by: "job" | "execution", { jobUrl, executionUrl }: Enqueued) =>
  by === "job" ? jobUrl : executionUrl;
const isUp = ({ log }: { log: string }) => log === "up\n";

async function stop(by: "job" | "execution", job: Enqueued) {
  const response = await postTo(urlOf(by, job), "stop");
  expect(response.status).toBe(200);
  return await jsonOf(response);
}

/** What must hold of a stopped job: nothing else follows, and a second stop changes nothing. */
async function checkStaysStopped(by: "job" | "execution", job: Enqueued) {
  const before = await getJob(job);
  await stop(by, job);
  expect(await getJob(job)).toEqual(before);
  expect(before.executionCount).toBe(1);
  expect(before.executions[0]).toMatchObject(STOPPED);
}

test.each(BY)(
  "stop: of the %s while it runs ends it as stopped, and no retry follows",
  async (by) => {
    const job = await enqueue(app.url, "runs", UNTIL_STOPPED);
    await untilExecution(job, isUp);

    await stop(by, job);

    expect(await untilEnded(job)).toMatchObject({ ...STOPPED, exitCode: 0, log: "up\n" });
    await checkStaysStopped(by, job);
    await untilNoContainers((await testEngine()).docker, app.database.installation);
  },
);

test.each(BY)("stop: of the %s while it waits ends it, and it never runs", async (by) => {
  const holder = await enqueue(app.url, "full", UNTIL_STOPPED);
  await untilExecution(holder, isUp);
  const job = await enqueue(app.url, "full", UNTIL_STOPPED);

  await stop(by, job);

  expect(await getExecution(job)).toMatchObject({
    ...STOPPED,
    exitCode: null,
    startedAt: null,
    finishedAt: expect.any(String),
    metadata: { container_id: null },
  });
  await checkStaysStopped(by, job);
  await stop("job", holder);
  await untilEnded(holder);
});

test.each(BY)(
  "stop: of the %s while its image is pulled ends it, and it never runs",
  async (by) => {
    const { registry } = await testEngine();
    const held = proxy.hold("before", /\/images\/create/);
    const image = `${registry}/busybox`;
    const job = await enqueue(app.url, "pulls", { ...UNTIL_STOPPED, image, pullPolicy: "always" });
    await held;
    expect((await getExecution(job)).status).toBe("pulling");

    await stop(by, job);

    expect(await untilEnded(job)).toMatchObject({ ...STOPPED, exitCode: null, startedAt: null });
    await checkStaysStopped(by, job);
  },
);

test("stop: a process that pays no heed is killed after 10 s", async () => {
  const job = await enqueue(app.url, "runs", { command: "sleep 600" });
  await untilExecution(job, ({ status }) => status === "running");
  const begun = performance.now();

  await stop("execution", job);

  expect(await untilEnded(job)).toMatchObject({ ...STOPPED, exitCode: 137 });
  expect(performance.now() - begun).toBeWithin(9_000, 20_000);
});

test.each(BY)("stop: of the %s on what has ended answers 200 and changes nothing", async (by) => {
  const job = await enqueue(app.url, "ended", { command: "true" });
  await untilEnded(job);
  const before = await getJob(job);

  await stop(by, job);

  expect(await getJob(job)).toEqual(before);
  expect(before.executions[0]).toMatchObject({ status: "done", exitCode: 0 });
});

test("stop: a job answers with itself and its task, an execution with all three", async () => {
  const job = await enqueue(app.url, "ended", { command: "true" });
  const { jobId, jobUrl, taskId, taskUrl, executionId, executionUrl } = job;

  expect(await stop("job", job)).toEqual({ jobId, jobUrl, taskId, taskUrl });
  expect(await stop("execution", job)).toEqual({
    execution: { id: executionId, url: executionUrl },
    job: { id: jobId, url: jobUrl },
    task: { id: taskId, url: taskUrl },
  });
  await untilEnded(job);
});

test("stop: a retry that waits for its time is the last execution, and is stopped", async () => {
  const backoff = { minMs: 600_000, jitter: false };
  const job = await enqueue(app.url, "retries", { command: "false", retries: 3, backoff });
  const retrying = async () => ((await getJob(job)).executionCount === 2 ? true : undefined);
  await eventually(retrying, () => "no retry waits");

  await stop("job", job);

  const { executions, executionCount } = await getJob(job);
  expect(executionCount).toBe(2);
  expect(executions.map(({ status }: { status: string }) => status)).toEqual(["stopped", "failed"]);
});

test("stop: of a job with cron cancels it and ends what runs; of an execution it does not", async () => {
  const job = await enqueue(app.url, "cron", {
    ...UNTIL_STOPPED,
    cron: "* * * * * *",
    overlap: "skip",
  });
  const lastRuns = async () => {
    const [last] = (await getJob(job)).executions;
    return last?.status === "running" && isUp(last) ? last : undefined;
  };
  const first = await eventually(lastRuns, () => "no tick runs");

  await postTo(`${job.jobUrl}/executions/${first.executionId}`, "stop");
  const afterExecution = await getJob(job);
  const next = await eventually(
    async () => {
      const last = await lastRuns();
      return last?.executionId === first.executionId ? undefined : last;
    },
    () => `no later tick runs`,
  );
  await stop("job", job);
  const afterJob = await getJob(job);

  expect(afterExecution.scheduled).toBe(true);
  expect([afterJob.scheduled, afterJob.nextScheduledAt]).toEqual([false, null]);
  const own = { ...job, executionUrl: `${job.jobUrl}/executions/${next.executionId}/` };
  expect(await untilEnded(own)).toMatchObject(STOPPED);
  expect((await getJson(`${app.url}/status/`)).queues.scheduled.length).toBe(0);
});

test("stop: of a job that is scheduled cancels it, and it never runs", async () => {
  const job = await enqueue(app.url, "later", { command: "true", startIn: "1h" });

  await stop("job", job);
  await stop("job", job);

  const { scheduled, nextScheduledAt, executionCount } = await getJob(job);
  expect([scheduled, nextScheduledAt, executionCount]).toEqual([false, null, 0]);
});
