import { afterAll, beforeAll, expect, test } from "bun:test";
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
import { startDockerProxy } from "../support/docker-proxy.ts";
import { testEngine } from "../support/engine.ts";

/** Ends at once when it is told to; a shell that is a container's first process ignores it else. */
const OBEDIENT = [
  "sh",
  "-c",
  "trap 'echo told; exit 5' TERM; echo up; while :; do sleep 0.05; done",
];
const STUBBORN = ["sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.05; done"];

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const isUp = ({ log }: { log: string }) => log.includes("up");

async function post(url: string): Promise<Response> {
  return await fetch(url, { method: "POST" });
}

test("a running execution that is stopped gets SIGTERM, and ends as stopped with its exit code and log", async () => {
  const job = await enqueue(app.url, "stops", { command: OBEDIENT, retries: 5 });
  await untilExecution(job, isUp);

  const answers = [await post(`${job.executionUrl}stop/`), await post(`${job.executionUrl}stop/`)];

  const ended = await untilEnded(job);
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  expect(ended).toMatchObject({ status: "stopped", failureCause: "stopped", exitCode: 5 });
  expect(ended.log).toBe("up\ntold\n");
  expect((await post(`${job.executionUrl}stop/`)).status).toBe(200);
  expect(await getExecution(job)).toEqual(ended);
});

test("one that ignores SIGTERM is killed 10 s later", async () => {
  const job = await enqueue(app.url, "stops", { command: STUBBORN });
  await untilExecution(job, isUp);
  const before = performance.now();

  await post(`${job.jobUrl}/stop/`);

  expect(await untilEnded(job)).toMatchObject({ status: "stopped", exitCode: 137 });
  expect(performance.now() - before).toBeGreaterThan(9_000);
});

test("a stop during a pull ends the execution at once, and the pull with it", async () => {
  const { host, docker, registry } = await testEngine();
  await using proxy = await startDockerProxy(host);
  const config = { dockerHosts: [{ match: "", hosts: [proxy.host], maxRunning: 20 }] };
  await using pulling = await startTestApp({ config });
  const held = proxy.hold("before", /\/images\/create/);
  const image = `${registry}/busybox`;
  const job = await enqueue(pulling.url, "pulls", { image, command: "true", pullPolicy: "always" });
  await held;

  await post(`${job.executionUrl}stop/`);

  expect(await untilEnded(job, 5_000)).toMatchObject({ status: "stopped", exitCode: null });
  // The host is there for others: nothing of the pull is awaited any more.
  const next = await enqueue(pulling.url, "pulls", { command: "echo next" });
  expect(await untilEnded(next)).toMatchObject({ status: "done", log: "next\n" });
  await untilNoContainers(docker, pulling.database.installation);
});

test("a stop before the start call leaves a container that never ran", async () => {
  const { host, docker } = await testEngine();
  await using proxy = await startDockerProxy(host);
  const config = { dockerHosts: [{ match: "", hosts: [proxy.host], maxRunning: 20 }] };
  await using slow = await startTestApp({ config });
  const pass = proxy.delay(/^POST .*\/containers\/create/);
  const job = await enqueue(slow.url, "stops", { command: "echo ran" });
  await pass.reached;

  await post(`${job.executionUrl}stop/`);
  await eventually(
    async () => (await isStopping(job)) || undefined,
    () => "the stop was not taken",
  );
  pass.release();

  expect(await untilEnded(job)).toMatchObject({ status: "stopped", exitCode: null, log: "" });
  expect(proxy.calls.filter((call) => /\/start/.test(call))).toEqual([]);
  await untilNoContainers(docker, slow.database.installation);
});

async function isStopping(job: Enqueued): Promise<boolean> {
  const why = (await (await fetch(`${job.executionUrl}why/`)).json()) as {
    reasons: { code: string }[];
  };
  return why.reasons.some(({ code }) => code === "stopping" || code === "stopped");
}

test("an execution that reaches its timeout is stopped, ends as timedout, and is retried", async () => {
  const job = await enqueue(app.url, "times", {
    command: OBEDIENT,
    timeout: 1,
    retries: 1,
    backoff: { minMs: 1 },
  });

  const ended = await untilEnded(job);
  const executions = await eventually(
    async () => {
      const all = await executionsOf(job);
      return all.length === 2 && all.every(({ status }) => status === "timedout") ? all : undefined;
    },
    () => "it was not retried",
  );

  expect(ended).toMatchObject({ status: "timedout", failureCause: "timeout", exitCode: 5 });
  expect(ended.error).toContain("1 s");
  expect(executions[0]?.metadata).toMatchObject({ retry: 1, retryOf: job.executionId });
});

async function executionsOf({ jobUrl }: Enqueued) {
  const { job } = (await (await fetch(jobUrl)).json()) as {
    job: { executions: Awaited<ReturnType<typeof getExecution>>[] };
  };
  return job.executions;
}

test("a job's own timeout counts only below the service's", async () => {
  await using strict = await startTestApp({ config: { hardExecutionTimeoutSeconds: 1 } });
  const job = await enqueue(strict.url, "times", { command: OBEDIENT, timeout: 3_600 });

  expect(await untilEnded(job)).toMatchObject({ status: "timedout" });
});
