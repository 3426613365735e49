import { afterAll, beforeAll, expect, test } from "bun:test";
import { enqueue, untilEnded, untilExecution } from "../support/client.ts";
import { type FastlaneProcess, startFastlane } from "../support/process.ts";
import { migratedDatabase } from "../support/store.ts";
import { startSwarm, type TestSwarm } from "../support/swarm.ts";

let swarm: TestSwarm;
let fastlane: FastlaneProcess;
let database: Awaited<ReturnType<typeof migratedDatabase>>;

beforeAll(async () => {
  swarm = await startSwarm();
  database = await migratedDatabase();
  const pool = {
    swarm: swarm.manager.host,
    allow: {
      networks: ["jobs", "nowhere"],
      users: ["*"],
      workdir: true,
      additionalDNSEntries: true,
    },
  };
  const shutIn = {
    match: "^shut-in$",
    swarm: swarm.manager.host,
    allow: { maxPids: 40 },
    containers: { memory: "32m", readOnlyRoot: true, capabilities: ["CHOWN", "NET_RAW"] },
  };
  fastlane = await startFastlane({
    environment: {
      FASTLANE_DATABASE_URL: database.url,
      FASTLANE_DOCKER_HOSTS: JSON.stringify([shutIn, pool]),
    },
  });
}, 120_000);

afterAll(async () => {
  await fastlane[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
  await swarm[Symbol.asyncDispose]();
}, 120_000);

test("a job runs as a service, with its exact output and exit code, and leaves nothing", async () => {
  const script = "echo out; echo err >&2; sleep 0.5; printf rest; printf last >&2; exit 3";

  const jobs = await Promise.all(
    [1, 2, 3].map(() => enqueue(fastlane.url, "swarm", { command: ["sh", "-c", script] })),
  );

  for (const job of jobs) {
    const ended = await untilEnded(job);
    expect(ended).toMatchObject({ status: "failed", failureCause: "exit_code", exitCode: 3 });
    expect(ended).toMatchObject({ log: "out\nrest", error: "err\nlast" });
    expect(ended.metadata.container_id).toMatch(/^[a-z0-9]{25}$/);
    expect(ended.metadata.docker_host).toBe(`swarm+${swarm.manager.host}`);
  }
  await swarm.untilNothingIsLeft(database.installation);
});

test("a log of long lines, other bytes and many lines comes whole, from either node", async () => {
  const script = [
    "head -c 40000 /dev/zero | tr '\\0' a; echo; echo short",
    "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo line $i; done; printf end",
  ].join("; ");
  const whole = `${"a".repeat(40_000)}\nshort\n${Array.from({ length: 3_000 }, (_, i) => `line ${i + 1}\n`).join("")}end`;
  const payload = { command: ["sh", "-c", script] };

  const first = await enqueue(fastlane.url, "swarm", payload);
  const second = await swarm.onWorkerAlone(async () => {
    const job = await enqueue(fastlane.url, "swarm", payload);
    await untilEnded(job);
    return job;
  });

  for (const job of [first, second]) {
    const ended = await untilEnded(job);
    expect(ended.status).toBe("done");
    const answer = await fetch(`${job.jobUrl}/stdout/`);
    expect((await answer.text()) === whole).toBe(true);
  }
});

test("limits, user, folder, names and variables reach the container as they were given", async () => {
  const job = await enqueue(fastlane.url, "swarm", {
    command: ["sh", "-c", "id -u; pwd; grep example /etc/hosts; echo $TEMPLATE; sleep 60"],
    resources: { cpus: 0.5, memory: "16m", pids: 33 },
    user: "1000:1000",
    workdir: "/tmp",
    additionalDNSEntries: { "db.example": "10.1.2.3" },
    envs: { TEMPLATE: "{{.Node.Hostname}} {{{" },
  });
  const running = await untilExecution(job, ({ log }) => log.includes("{{{"));

  const [container] = await swarm.containersOf(job.executionId);
  const engines = [swarm.manager, swarm.worker].map(({ docker }) =>
    docker.getContainer(container?.Id ?? "").inspect(),
  );
  const { HostConfig } = await Promise.any(engines);
  await fetch(`${job.jobUrl}/stop/`, { method: "POST" });

  expect(running.log).toBe("1000\n/tmp\n10.1.2.3\tdb.example\n{{.Node.Hostname}} {{{\n");
  expect(HostConfig).toMatchObject({ NanoCpus: 5e8, Memory: 16 * 2 ** 20, PidsLimit: 33 });
  expect(HostConfig.RestartPolicy?.Name ?? "").toBe("");
  await untilEnded(job);
});

test("a service is shut in as its pool says, by default and in all", async () => {
  const script = [
    "grep CapEff /proc/self/status",
    "touch /file 2>&1; touch /tmp/file && echo taken",
    "trap exit TERM; sleep 60 & wait",
  ].join("; ");
  const [open, shut] = await Promise.all(
    ["open", "shut-in"].map((task) =>
      enqueue(fastlane.url, task, { command: ["sh", "-c", script] }),
    ),
  );
  if (open === undefined || shut === undefined) throw new Error("no jobs");
  const isThere = ({ log }: { log: string }) => log.includes("taken\n");
  const logs = [await untilExecution(open, isThere), await untilExecution(shut, isThere)];

  const service = await swarm.manager.docker
    .getService(`fastlane-job-${shut.executionId}`)
    .inspect();
  for (const { jobUrl } of [open, shut]) await fetch(`${jobUrl}/stop/`, { method: "POST" });

  expect(logs.map(({ log }) => log)).toEqual([
    "CapEff:\t00000000000004fb\ntaken\n",
    "CapEff:\t0000000000002001\ntouch: /file: Read-only file system\ntaken\n",
  ]);
  expect(service.Spec.TaskTemplate.Resources.Limits).toEqual({
    MemoryBytes: 32 * 2 ** 20,
    Pids: 40,
  });
  await Promise.all([untilEnded(open), untilEnded(shut)]);
});

test("a job joins an overlay network by its name, and one that is not there ends it", async () => {
  await swarm.manager.docker.createNetwork({ Name: "jobs", Driver: "overlay" });
  const command = ["sh", "-c", "ip -o -4 addr show | grep -c ' 10\\.'"];

  const on = await enqueue(fastlane.url, "swarm", { command, network: "jobs" });
  const nowhere = await enqueue(fastlane.url, "swarm", { command, network: "nowhere" });

  expect(await untilEnded(on)).toMatchObject({ status: "done", log: "1\n" });
  expect(await untilEnded(nowhere)).toMatchObject({ failureCause: "create_failed" });
});

test("two jobs at once are placed on both nodes", async () => {
  const command = ["sh", "-c", "sleep 3"];
  const jobs = await Promise.all([
    enqueue(fastlane.url, "swarm", { command }),
    enqueue(fastlane.url, "swarm", { command }),
  ]);
  await Promise.all(jobs.map((job) => untilExecution(job, ({ status }) => status === "running")));

  const counts = await Promise.all(
    [swarm.manager, swarm.worker].map(async ({ docker }) => {
      const filters = { label: [`fastlane.installation=${database.installation}`] };
      return (await docker.listContainers({ filters })).length;
    }),
  );

  expect(counts).toEqual([1, 1]);
  for (const job of jobs) expect((await untilEnded(job)).status).toBe("done");
});

test.each([
  [{ image: "nosuch/image:1", command: "true" }, "image_not_found"],
  [{ command: ["/nope"] }, "create_failed"],
  [{ command: "true", workdir: "/bin/busybox" }, "create_failed"],
  [{ command: "true", user: "nobody-at-all" }, "create_failed"],
  [{ command: "true", resources: { cpus: 64 } }, "create_failed"],
] as const)("a job that no node can start (%p) ends as %s", async (payload, failureCause) => {
  const job = await enqueue(fastlane.url, "swarm", payload);

  const ended = await untilEnded(job);

  expect(ended).toMatchObject({ status: "failed", failureCause, exitCode: null });
});

test("everything that was made is gone in the end", async () => {
  await swarm.untilNothingIsLeft(database.installation);
});
