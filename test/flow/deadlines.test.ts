import { expect, test } from "bun:test";
import { type Enqueued, enqueue, untilEnded, untilExecution } from "../support/client.ts";
import { recordStarts } from "../support/containers.ts";
import { testEngine } from "../support/engine.ts";
import { type FastlaneProcess, startFastlane } from "../support/process.ts";
import { migratedDatabase } from "../support/store.ts";

const LOOP = "trap 'exit 5' TERM; echo up; while :; do sleep 0.05; done";

async function givenNode() {
  const database = await migratedDatabase();
  const { host, docker } = await testEngine();
  const environment = {
    FASTLANE_DATABASE_URL: database.url,
    FASTLANE_DOCKER_HOSTS: JSON.stringify([{ hosts: [host], maxRunning: 20 }]),
  };
  const starts = await recordStarts(docker);
  return {
    starts,
    start: () => startFastlane({ environment }),
    async [Symbol.asyncDispose]() {
      await starts[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

const at = (job: Enqueued, { url }: FastlaneProcess): Enqueued => ({
  ...job,
  executionUrl: job.executionUrl.replace(/^http:\/\/[^/]+/, url),
  jobUrl: job.jobUrl.replace(/^http:\/\/[^/]+/, url),
});

test("a timeout holds over a restart that spans the deadline", async () => {
  await using given = await givenNode();
  const first = await given.start();
  const job = await enqueue(first.url, "span", { command: ["sh", "-c", LOOP], timeout: 2 });
  await untilExecution(job, ({ log }) => log === "up\n");

  await first.end("SIGKILL");
  // Nobody is there when the deadline comes: time itself is what is awaited.
  await Bun.sleep(2_500);
  await using second = await given.start();

  const ended = await untilEnded(at(job, second));
  expect(ended).toMatchObject({ status: "timedout", failureCause: "timeout", exitCode: 5 });
  expect(given.starts.of(job.executionId)).toBe(1);
});

test("what ended well before its deadline is done, although nobody was there until long after", async () => {
  await using given = await givenNode();
  const first = await given.start();
  const job = await enqueue(first.url, "well", {
    command: ["sh", "-c", "echo up; sleep 0.5; echo well"],
    timeout: 2,
    retries: 1,
  });
  await untilExecution(job, ({ log }) => log === "up\n");

  await first.end("SIGKILL");
  // Nobody is there when it ends, nor when its deadline comes: time itself is what is awaited.
  await Bun.sleep(2_500);
  await using second = await given.start();

  expect(await untilEnded(at(job, second))).toMatchObject({ status: "done", log: "up\nwell\n" });
});

test("a stop that was taken is carried out by whoever owns the host next", async () => {
  await using given = await givenNode();
  const first = await given.start();
  const stubborn = "trap '' TERM; echo up; while :; do sleep 0.05; done";
  const job = await enqueue(first.url, "told", { command: ["sh", "-c", stubborn] });
  await untilExecution(job, ({ log }) => log === "up\n");

  await fetch(`${job.jobUrl}/stop/`, { method: "POST" });
  await first.end("SIGKILL");
  await using second = await given.start();

  expect(await untilEnded(at(job, second))).toMatchObject({ status: "stopped", exitCode: 137 });
});

test("a retry that waits is not lost with the node that made it, nor made twice", async () => {
  await using given = await givenNode();
  const first = await given.start();
  const job = await enqueue(first.url, "again", {
    command: ["sh", "-c", "echo try; exit 3"],
    retries: 1,
    backoff: { minMs: 3_000, jitter: false },
  });
  await untilEnded(job);

  await first.end("SIGKILL");
  await using second = await given.start();

  const moved = at(job, second);
  await untilExecution(moved, ({ status }) => status === "failed");
  const retry = await untilRetry(moved);
  const { log, exitCode, metadata } = await untilEnded({ ...moved, ...retry });
  expect({ log, exitCode, retry: metadata.retry }).toEqual({ log: "try\n", exitCode: 3, retry: 1 });
  expect(given.starts.of(retry.executionId)).toBe(1);
});

async function untilRetry(job: Enqueued): Promise<Pick<Enqueued, "executionId" | "executionUrl">> {
  const { job: shown } = (await (await fetch(job.jobUrl)).json()) as {
    job: { executionCount: number; executions: { executionId: string }[] };
  };
  const executionId = shown.executions[0]?.executionId ?? "";
  expect(shown.executionCount).toBe(2);
  return { executionId, executionUrl: job.executionUrl.replace(job.executionId, executionId) };
}
