import { afterAll, beforeAll, expect, test } from "bun:test";
import { enqueue, getExecution, untilEnded, untilExecution } from "../support/client.ts";
import { recordStarts } from "../support/containers.ts";
import { startFastlane } from "../support/process.ts";
import { type MigratedDatabase, migratedDatabase } from "../support/store.ts";
import { startSwarm, type TestSwarm } from "../support/swarm.ts";

let swarm: TestSwarm;
let database: MigratedDatabase;

beforeAll(async () => {
  swarm = await startSwarm();
  database = await migratedDatabase();
}, 120_000);

afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await swarm[Symbol.asyncDispose]();
}, 120_000);

const environment = () => ({
  FASTLANE_DATABASE_URL: database.url,
  FASTLANE_DOCKER_HOSTS: swarm.pools(),
});

const COUNT = "i=0; while [ $i -lt 60 ]; do i=$((i+1)); echo line $i; sleep 0.2; done; exit 5";
const COUNTED = Array.from({ length: 60 }, (_, i) => `line ${i + 1}\n`).join("");

test("what ended while its node was down is told by how it ended, and the other node goes on", async () => {
  await using fastlane = await startFastlane({ environment: environment() });
  await using onManager = await recordStarts(swarm.manager.docker);
  await using onWorker = await recordStarts(swarm.worker.docker);
  const script = "echo up; while [ ! -e /tmp/never ]; do sleep 0.5; done";
  const [short, long] = await swarm.onWorkerAlone(async () => {
    const jobs = await Promise.all([
      enqueue(fastlane.url, "nodes", { command: ["sh", "-c", "echo up; sleep 6; exit 4"] }),
      enqueue(fastlane.url, "nodes", { command: ["sh", "-c", script] }),
    ]);
    await Promise.all(jobs.map((job) => untilExecution(job, ({ log }) => log === "up\n")));
    return jobs;
  });

  await swarm.worker.kill("SIGKILL");
  const meanwhile = await enqueue(fastlane.url, "nodes", { command: ["sh", "-c", COUNT] });
  await swarm.untilWorkerIs("down");
  const during = await untilExecution(short, ({ status }) => status === "running");
  expect(await untilEnded(meanwhile)).toMatchObject({ exitCode: 5, log: COUNTED });
  await swarm.worker.start();

  expect(during.finishedAt).toBeNull();
  expect(await untilEnded(short)).toMatchObject({ failureCause: "exit_code", exitCode: 4 });
  expect(await untilEnded(long)).toMatchObject({ status: "failed", failureCause: "host_lost" });
  const starts = [short, long].map(({ executionId: id }) => onManager.of(id) + onWorker.of(id));
  expect(starts).toEqual([1, 1]);
  await swarm.untilNothingIsLeft(database.installation);
});

test("what runs on a node that is cut off for a while goes on, and its log is whole", async () => {
  await using fastlane = await startFastlane({ environment: environment() });
  const job = await swarm.onWorkerAlone(async () => {
    const made = await enqueue(fastlane.url, "nodes", { command: ["sh", "-c", COUNT] });
    await untilExecution(made, ({ log }) => log.includes("line 5\n"));
    return made;
  });

  await swarm.worker.cut();
  // Nothing tells of it before the node counts as down, which is later.
  await Bun.sleep(3_000);
  await swarm.worker.heal();

  expect(await untilEnded(job)).toMatchObject({ status: "failed", exitCode: 5, log: COUNTED });
  await swarm.untilNothingIsLeft(database.installation);
});

test("what runs on a node that is drained, or was away for long, ends as host_lost", async () => {
  await using fastlane = await startFastlane({ environment: environment() });
  const begin = async () => {
    const job = await enqueue(fastlane.url, "nodes", {
      command: ["sh", "-c", "echo up; sleep 600"],
    });
    await untilExecution(job, ({ log }) => log === "up\n");
    return job;
  };
  const away = await swarm.onWorkerAlone(begin);

  await swarm.worker.cut();
  await swarm.untilWorkerIs("down");
  expect((await getExecution(away)).status).toBe("running");
  await swarm.worker.heal();
  expect(await untilEnded(away)).toMatchObject({ failureCause: "host_lost", log: "up\n" });

  const drained = await swarm.onWorkerAlone(begin);
  await swarm.drainWorker();
  expect(await untilEnded(drained)).toMatchObject({ failureCause: "host_lost", log: "up\n" });
  await swarm.untilNothingIsLeft(database.installation);
  await swarm.fillWorker();
});

test("what runs on a node that stays away ends as host_lost, and is gone when that is back", async () => {
  await using fastlane = await startFastlane({
    environment: { ...environment(), FASTLANE_HOST_LOST_AFTER_SECONDS: "2" },
  });
  const job = await swarm.onWorkerAlone(async () => {
    const made = await enqueue(fastlane.url, "nodes", {
      command: ["sh", "-c", "echo up; sleep 600"],
    });
    await untilExecution(made, ({ log }) => log === "up\n");
    return made;
  });

  await swarm.worker.kill("SIGKILL");

  const ended = await untilEnded(job);
  expect(ended).toMatchObject({ status: "failed", failureCause: "host_lost", log: "up\n" });
  expect(ended.exitCode).toBeNull();
  await swarm.worker.start();
  await swarm.untilNothingIsLeft(database.installation);
});
