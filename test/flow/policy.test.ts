import { afterAll, beforeAll, expect, test } from "bun:test";
import { ORDINARY } from "../../src/core/confinement.ts";
import type { PoolRule } from "../../src/core/pool.ts";
import { getJob } from "../http/answers.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import { enqueue, eventually, untilEnded } from "../support/client.ts";
import { testEngine } from "../support/engine.ts";
import { migratedDatabase } from "../support/store.ts";

const NOTHING = { networks: [], users: [], workdir: false, additionalDNSEntries: false };

const poolOn = (host: string, match: string, keys: Partial<PoolRule> = {}): PoolRule => ({
  match,
  hosts: [host],
  maxRunning: 20,
  ...keys,
});

let app: TestApp;
beforeAll(async () => {
  const { host } = await testEngine();
  const most = { maxCpus: 0.75, maxMemoryBytes: 64 * 2 ** 20, maxPids: 60 };
  const own = { ...ORDINARY, cpus: 0.5, memoryBytes: 32 * 2 ** 20, pids: 30 };
  const dockerHosts = [
    poolOn(host, "^most$", { allow: { ...NOTHING, ...most } }),
    poolOn(host, "^own$", { allow: { ...NOTHING, ...most }, containers: own }),
    poolOn(host, "^read-only$", { containers: { ...ORDINARY, readOnlyRoot: true } }),
    poolOn(host, "^bare$", { containers: { ...ORDINARY, capabilities: [] } }),
    poolOn(host, "^ping$", {
      containers: { ...ORDINARY, capabilities: ["NET_RAW"], noNewPrivileges: false },
    }),
    poolOn(host, "^nowhere$", { containers: { ...ORDINARY, runtime: "nowhere" } }),
    poolOn(host, ""),
  ];
  app = await startTestApp({ config: { dockerHosts } });
});
afterAll(() => app[Symbol.asyncDispose]());

/** Runs a script; @returns what it wrote, or how it failed. */
async function outputOf(task: string, script: string, payload: object = {}): Promise<string> {
  const job = await enqueue(app.url, task, { command: ["sh", "-c", script], ...payload });
  const { status, log, error } = await untilEnded(job);
  return status === "done" ? log : `${status}: ${log}${error}`;
}

// The kernel's numbers: CHOWN is 0, ... NET_BIND_SERVICE 10, NET_RAW 13.
test.each<[string, string, ...string[]]>([
  ["where a pool says nothing", "plain", "CapEff:\t00000000000004fb", "NoNewPrivs:\t1"],
  ["where it keeps none", "bare", "CapEff:\t0000000000000000", "NoNewPrivs:\t1"],
  [
    "where it keeps one, and allows new ones",
    "ping",
    "CapEff:\t0000000000002000",
    "NoNewPrivs:\t0",
  ],
])("%s, root is left with the powers that are written there", async (_, task, ...lines) => {
  const script = "grep -E '^(CapEff|CapBnd|NoNewPrivs):' /proc/self/status";

  const output = await outputOf(task, script);

  const bounds = lines[0]?.replace("CapEff", "CapBnd") ?? "";
  expect(output.trimEnd().split("\n").toSorted()).toEqual([...lines, bounds].toSorted());
});

test("with ordinary powers, files are given away and listened at low ports", async () => {
  const script = "touch f && chown 1000:1000 f && stat -c %u f; timeout 1 nc -l -p 80; echo $?";

  expect(await outputOf("plain", script)).toBe("1000\n143\n");
});

test("a read-only root takes no file, and /tmp takes one and runs it", async () => {
  const script =
    "touch /etc/x 2>&1; cp /bin/busybox /tmp/sh && chmod 700 /tmp/sh && /tmp/sh -c 'echo ran'";

  expect(await outputOf("read-only", script)).toBe("touch: /etc/x: Read-only file system\nran\n");
  expect(await outputOf("plain", "touch /etc/x && echo taken")).toBe("taken\n");
});

const MIB = 2 ** 20;
test.each([
  ["the pool's most, where nobody names less", "most", {}, [75_000, 64 * MIB, 60]],
  ["the pool's own", "own", {}, [50_000, 32 * MIB, 30]],
  ["what is asked for", "own", { cpus: 0.75, memory: "40m", pids: 50 }, [75_000, 40 * MIB, 50]],
  ["what is asked for in part", "own", { pids: 20 }, [50_000, 32 * MIB, 20]],
])("a container is held to %s", async (_, task, resources, [cpu, memory, pids]) => {
  // Version 1 of cgroups has other files.
  const script = `cd /sys/fs/cgroup; if [ -e cgroup.controllers ]
    then cut -d' ' -f1 cpu.max; cat memory.max pids.max
    else cat cpu/cpu.cfs_quota_us memory/memory.limit_in_bytes pids/pids.max; fi`;

  expect(await outputOf(task, script, { resources })).toBe(`${cpu}\n${memory}\n${pids}\n`);
});

test("a runtime that the engine does not know ends an execution in the engine's words", async () => {
  const ended = await untilEnded(await enqueue(app.url, "nowhere", { command: "true" }));

  expect(ended).toMatchObject({ status: "failed", failureCause: "create_failed" });
  expect(ended.error).toContain("nowhere");
});

test("what was taken under another policy is held against the one that it meets", async () => {
  const { host } = await testEngine();
  await using database = await migratedDatabase();
  const wasAllowed = { ...NOTHING, users: ["*"] };
  const roles = { api: true, worker: false };
  const config = { dockerHosts: [poolOn(host, "", { allow: wasAllowed })] };
  await using before = await startTestApp({ database, roles, config });
  const payload = { command: "true", user: "1000", image: "registry.example/tool" };
  const waiting = await enqueue(before.url, "waiting", payload);
  const scheduled = await enqueue(before.url, "scheduled", { ...payload, startIn: "1s" });
  const harmless = await enqueue(before.url, "waiting", { command: "true" });

  const allow = { ...NOTHING, images: ["docker.io/**"] };
  await using after = await startTestApp({
    database,
    config: { dockerHosts: [poolOn(host, "", { allow })] },
  });
  const found = await eventually(
    async () => (await getJob(scheduled)).executions[0],
    () => "the schedule has made no execution",
  );
  const executionUrl = `${scheduled.jobUrl}/executions/${found.executionId}/`;
  const ends = await Promise.all([untilEnded(waiting), untilEnded({ ...scheduled, executionUrl })]);

  const of = 'of pool ""';
  const sentence = `Cannot start: "image" must fit docker.io/**: no other is allowed by allow.images ${of}; "user" is not allowed by allow.users ${of}`;
  for (const end of ends) {
    expect(end).toMatchObject({ status: "failed", failureCause: "create_failed", exitCode: null });
    expect(end.error).toBe(sentence);
    expect(end.log).toBe("");
  }
  expect((await untilEnded(harmless)).status).toBe("done");
  expect(after.complaints).toEqual([]);
});
