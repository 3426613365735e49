import { afterAll, beforeAll, expect, test } from "bun:test";
import { enqueue, getExecution, untilEnded, untilExecution } from "../support/client.ts";
import { recordStarts } from "../support/containers.ts";
import { type FastlaneProcess, startFastlane } from "../support/process.ts";
import { migratedDatabase } from "../support/store.ts";
import { startSwarm, type TestSwarm } from "../support/swarm.ts";

let swarm: TestSwarm;
let fastlane: FastlaneProcess;
let database: Awaited<ReturnType<typeof migratedDatabase>>;
const environment = () => ({
  FASTLANE_DATABASE_URL: database.url,
  FASTLANE_DOCKER_HOSTS: swarm.pools(),
});

beforeAll(async () => {
  swarm = await startSwarm();
  database = await migratedDatabase();
  fastlane = await startFastlane({ environment: environment() });
}, 120_000);

afterAll(async () => {
  await fastlane[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
  await swarm[Symbol.asyncDispose]();
}, 120_000);

const stop = ({ executionUrl }: { executionUrl: string }) =>
  fetch(`${executionUrl}stop/`, { method: "POST" });

test("a stopped job keeps its exit code and its log to the last byte", async () => {
  const script =
    "trap 'echo term; sleep 1; printf bye; printf late >&2; exit 9' TERM; echo up; while true; do sleep 0.1; done";
  const job = await enqueue(fastlane.url, "ends", { command: ["sh", "-c", script] });
  await untilExecution(job, ({ log }) => log === "up\n");

  await stop(job);

  const ended = await untilEnded(job);
  expect(ended).toMatchObject({ status: "stopped", failureCause: "stopped", exitCode: 9 });
  expect(ended).toMatchObject({ log: "up\nterm\nbye", error: "late" });
  await swarm.untilNothingIsLeft(database.installation);
});

test("a job that passes over SIGTERM is killed, and one at its timeout ends as timed out", async () => {
  const deaf = "trap '' TERM; echo up; while true; do sleep 0.1; done";
  const stopped = await enqueue(fastlane.url, "ends", { command: ["sh", "-c", deaf] });
  const timed = await enqueue(fastlane.url, "ends", {
    command: ["sh", "-c", "trap 'echo over; exit 0' TERM; echo up; while true; do sleep 0.1; done"],
    timeout: 2,
  });
  await untilExecution(stopped, ({ log }) => log === "up\n");

  await stop(stopped);

  expect(await untilEnded(stopped)).toMatchObject({ status: "stopped", exitCode: 137 });
  const over = await untilEnded(timed);
  expect(over).toMatchObject({ status: "timedout", failureCause: "timeout", log: "up\nover\n" });
});

test("a job that no node can take waits, and a stop ends it without a run", async () => {
  await using starts = await recordStarts(swarm.manager.docker);
  const { job, waiting } = await swarm.onWorkerAlone(
    async () =>
      await swarm.onNoWorker(async () => {
        const made = await enqueue(fastlane.url, "ends", { command: "true" });
        await swarm.untilTask(made.executionId, "pending");
        const seen = await getExecution(made);
        await stop(made);
        await untilEnded(made);
        return { job: made, waiting: seen };
      }),
  );

  expect(waiting).toMatchObject({ status: "pulling", startedAt: null });
  expect(await getExecution(job)).toMatchObject({ status: "stopped", exitCode: null, log: "" });
  expect(starts.of(job.executionId)).toBe(0);
  await swarm.untilNothingIsLeft(database.installation);
});

test("killed and started again while services run, each ran once and every log is whole", async () => {
  await using onManager = await recordStarts(swarm.manager.docker);
  await using onWorker = await recordStarts(swarm.worker.docker);
  const script =
    "i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo line $i; [ $((i % 40)) != 0 ] || sleep 0.8; done; exit 5";
  const jobs = await Promise.all(
    Array.from({ length: 4 }, () =>
      enqueue(fastlane.url, "ends", { command: ["sh", "-c", script] }),
    ),
  );
  const at = (url: string) =>
    jobs.map((job) => ({ ...job, executionUrl: job.executionUrl.replace(/^http:\/\/[^/]+/, url) }));

  for (const line of [1, 80, 200]) {
    const [some] = at(fastlane.url);
    if (some === undefined) throw new Error("no job");
    await untilExecution(some, ({ log }) => log.includes(`line ${line}\n`));
    await fastlane.end("SIGKILL");
    fastlane = await startFastlane({ environment: environment() });
  }

  const whole = Array.from({ length: 400 }, (_, i) => `line ${i + 1}\n`).join("");
  for (const job of at(fastlane.url)) {
    const ended = await untilEnded(job);
    expect(ended).toMatchObject({ status: "failed", exitCode: 5 });
    expect(ended.log === whole).toBe(true);
    expect(onManager.of(job.executionId) + onWorker.of(job.executionId)).toBe(1);
  }
  await swarm.untilNothingIsLeft(database.installation);
});

test("jobs that came and ended while fastlane was down are told by how they ended", async () => {
  await using onManager = await recordStarts(swarm.manager.docker);
  await using onWorker = await recordStarts(swarm.worker.docker);
  const job = await enqueue(fastlane.url, "ends", {
    command: ["sh", "-c", "echo up; sleep 2; printf end; exit 4"],
  });
  await untilExecution(job, ({ log }) => log === "up\n");

  await fastlane.end("SIGKILL");
  await swarm.untilTask(job.executionId, "failed");
  await swarm.manager.kill("SIGKILL");
  await swarm.manager.start();
  await swarm.untilWorkerIs("ready");
  fastlane = await startFastlane({ environment: environment() });

  const moved = {
    ...job,
    executionUrl: job.executionUrl.replace(/^http:\/\/[^/]+/, fastlane.url),
  };
  const ended = await untilEnded(moved);
  expect(ended).toMatchObject({ status: "failed", exitCode: 4, log: "up\nend" });
  expect(onManager.of(job.executionId) + onWorker.of(job.executionId)).toBe(1);
  await swarm.untilNothingIsLeft(database.installation);
});
