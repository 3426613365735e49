import { expect, test } from "bun:test";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  enqueue,
  eventually,
  getExecution,
  untilEnded,
  untilExecution,
} from "../support/client.ts";
import { recordStarts, untilNoContainers } from "../support/containers.ts";
import { startDockerProxy } from "../support/docker-proxy.ts";
import { testEngine } from "../support/engine.ts";
import { startFastlane } from "../support/process.ts";
import { migratedDatabase } from "../support/store.ts";

const SCRIPT =
  "for i in 1 2 3 4; do echo line $i; echo err $i >&2; sleep 0.2; done; printf rest; exit 7";
const STDOUT = "line 1\nline 2\nline 3\nline 4\nrest";
const STDERR = "err 1\nerr 2\nerr 3\nerr 4\n";

const hostsOf = (host: string, maxRunning = 20) => JSON.stringify([{ hosts: [host], maxRunning }]);

async function dataFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), "fastlane-data-"));
  // The embedded Postgres runs as another user when the tests run as root.
  await chmod(path, 0o755);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

test.each([
  ["before the container is created", "before", /^POST .*\/containers\/create/],
  ["when it is created and nobody has been told", "after", /^POST .*\/containers\/create/],
  ["before it is started", "before", /^POST .*\/containers\/[0-9a-f]+\/start/],
  [
    "when it is started and nobody has been told",
    "after",
    /^POST .*\/containers\/[0-9a-f]+\/start/,
  ],
  ["before its log is followed", "before", /^GET .*\/logs\?follow=true/],
  ["when it has ended and its log is not whole", "before", /^GET .*\/logs\?follow=false/],
  ["when its end is written and it is not removed", "before", /^DELETE .*\/containers\//],
] as const)("killed %s, the next start ends it truly and once", async (_, when, call) => {
  const { host, docker } = await testEngine();
  await using proxy = await startDockerProxy(host);
  await using database = await migratedDatabase();
  const environment = { DATABASE_URL: database.url, FASTLANE_DOCKER_HOSTS: hostsOf(proxy.host) };
  await using starts = await recordStarts(docker);
  const first = await startFastlane({ environment });
  const held = proxy.hold(when, call);

  const job = await enqueue(first.url, "crash", { command: ["sh", "-c", SCRIPT] });
  await held;
  await first.end("SIGKILL");
  await using second = await startFastlane({ environment });

  const moved = { ...job, executionUrl: job.executionUrl.replace(first.url, second.url) };
  const ended = await untilEnded(moved);
  expect(ended).toMatchObject({ status: "failed", failureCause: "exit_code", exitCode: 7 });
  expect(ended).toMatchObject({ log: STDOUT, error: STDERR });
  expect(starts.of(job.executionId)).toBe(1);
  await eventually(
    async () => ((await isGone(job.executionId)) ? true : undefined),
    () => "the container is left",
  );
});

async function isGone(executionId: string): Promise<boolean> {
  const { docker } = await testEngine();
  const filters = { label: [`fastlane.execution=${executionId}`] };
  return (await docker.listContainers({ all: true, filters })).length === 0;
}

test("killed again and again while containers run, every log is whole and nothing ran twice", async () => {
  const { host, docker } = await testEngine();
  await using data = await dataFolder();
  const environment = { FASTLANE_DATA_DIR: data.path, FASTLANE_DOCKER_HOSTS: hostsOf(host) };
  await using starts = await recordStarts(docker);
  let fastlane = await startFastlane({ environment });
  const script =
    "i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo line $i; [ $((i % 40)) != 0 ] || sleep 0.8; done";
  const jobs = await Promise.all(
    Array.from({ length: 6 }, () =>
      enqueue(fastlane.url, "again", { command: ["sh", "-c", script] }),
    ),
  );
  const at = (url: string) =>
    jobs.map((job) => ({ ...job, executionUrl: job.executionUrl.replace(/^http:\/\/[^/]+/, url) }));

  for (let kill = 1; kill <= 3; kill++) {
    const [some] = at(fastlane.url);
    if (some === undefined) throw new Error("no job");
    await untilExecution(some, ({ log }) => log.includes(`line ${kill * 80}\n`));
    await fastlane.end("SIGKILL");
    fastlane = await startFastlane({ environment });
  }

  const all = at(fastlane.url);
  const ends = await Promise.all(all.map((job) => untilEnded(job)));
  const whole = Array.from({ length: 400 }, (_, i) => `line ${i + 1}\n`).join("");
  expect(ends.map(({ status, log }) => ({ status, isWhole: log === whole }))).toEqual(
    ends.map(() => ({ status: "done", isWhole: true })),
  );
  for (const { executionId } of jobs) expect(starts.of(executionId)).toBe(1);
  await fastlane.end("SIGTERM");
});

test("of two nodes on one database, one finishes what the other was killed over within 15 s", async () => {
  const { host, docker } = await testEngine();
  await using database = await migratedDatabase();
  const environment = { FASTLANE_DATABASE_URL: database.url, FASTLANE_DOCKER_HOSTS: hostsOf(host) };
  await using starts = await recordStarts(docker);
  const owner = await startFastlane({ environment });
  const job = await enqueue(owner.url, "two", { command: ["sh", "-c", `${SCRIPT}`] });
  const long = await enqueue(owner.url, "two", { command: ["sh", "-c", "sleep 3; echo late"] });
  await using other = await startFastlane({ environment });
  await untilExecution(long, ({ status }) => status === "running");

  await owner.end("SIGKILL");

  const moved = [job, long].map((one) => ({
    ...one,
    executionUrl: one.executionUrl.replace(owner.url, other.url),
  }));
  const [short, late] = await Promise.all(moved.map((one) => untilEnded(one, 15_000)));
  expect(short).toMatchObject({ exitCode: 7, log: STDOUT });
  expect(late).toMatchObject({ status: "done", log: "late\n" });
  for (const one of [job, long]) expect(starts.of(one.executionId)).toBe(1);
  await untilNoContainers(docker, database.installation);
});

test("a node that slept through its lease does nothing when it wakes", async () => {
  const { host, docker } = await testEngine();
  await using database = await migratedDatabase();
  const environment = { FASTLANE_DATABASE_URL: database.url, FASTLANE_DOCKER_HOSTS: hostsOf(host) };
  await using starts = await recordStarts(docker);
  await using sleeper = await startFastlane({ environment });
  const job = await enqueue(sleeper.url, "sleep", {
    command: ["sh", "-c", "for i in $(seq 1 50); do echo line $i; sleep 0.5; done"],
  });
  await untilExecution(job, ({ log }) => log.includes("line 2"));
  await using other = await startFastlane({ environment });

  process.kill(sleeper.pid, "SIGSTOP");
  const moved = { ...job, executionUrl: job.executionUrl.replace(sleeper.url, other.url) };
  const before = (await getExecution(moved)).log;
  await untilExecution(moved, ({ log }) => log.length > before.length + 60);
  process.kill(sleeper.pid, "SIGCONT");

  const ended = await untilEnded(moved);
  expect(ended.status).toBe("done");
  expect(ended.log).toBe(Array.from({ length: 50 }, (_, i) => `line ${i + 1}\n`).join(""));
  expect(starts.of(job.executionId)).toBe(1);
  await untilNoContainers(docker, database.installation);
});

test("a node that is told to stop leaves its containers to the next one", async () => {
  const { host, docker } = await testEngine();
  await using database = await migratedDatabase();
  const environment = { FASTLANE_DATABASE_URL: database.url, FASTLANE_DOCKER_HOSTS: hostsOf(host) };
  const first = await startFastlane({ environment });
  const job = await enqueue(first.url, "stop", { command: ["sh", "-c", SCRIPT] });
  await untilExecution(job, ({ log }) => log.includes("line 1"));

  const code = await first.end("SIGTERM");
  await using second = await startFastlane({ environment });

  expect(code).toBe(0);
  const moved = { ...job, executionUrl: job.executionUrl.replace(first.url, second.url) };
  expect(await untilEnded(moved)).toMatchObject({ exitCode: 7, log: STDOUT, error: STDERR });
  await untilNoContainers(docker, database.installation);
});
