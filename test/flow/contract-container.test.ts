import { afterAll, beforeAll, expect, test } from "bun:test";
import { ORDINARY } from "../../src/core/confinement.ts";
import { errorOf, post } from "../http/request.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import { type Enqueued, enqueue, untilEnded, untilExecution } from "../support/client.ts";
import { startDockerProxy } from "../support/docker-proxy.ts";
import { testEngine } from "../support/engine.ts";

const MIB = 1024 * 1024;

let app: TestApp;
beforeAll(async () => {
  const { host, registry } = await testEngine();
  const allow = { networks: ["none"], users: ["*"], workdir: true, additionalDNSEntries: true };
  const dockerHosts = [{ match: "", hosts: [host], maxRunning: 20, allow }];
  const registries = { [registry]: { registry, username: "u", password: "p" } };
  app = await startTestApp({ config: { dockerHosts, registries } });
});
afterAll(() => app[Symbol.asyncDispose]());

const UNTIL_TOLD = "while [ ! -e /tmp/go ]; do sleep 0.05; done";

/** What the engine says of a job's container while it runs; then the job ends. */
async function inspected(payload: Record<string, unknown>) {
  const { docker } = await testEngine();
  const job = await enqueue(app.url, "container", {
    command: ["sh", "-c", UNTIL_TOLD],
    ...payload,
  });
  await untilExecution(job, ({ status }) => status !== "enqueued" && status !== "pulling");
  const container = docker.getContainer(`fastlane-job-${job.executionId}`);
  const info = await container.inspect();
  await (await container.exec({ Cmd: ["touch", "/tmp/go"], User: "0" })).start({});
  await untilEnded(job);
  return info;
}

async function output(payload: Record<string, unknown>): Promise<string> {
  return (await untilEnded(await enqueue(app.url, "container", payload))).log;
}

test("image: the one that was asked for is run, latest when it has no tag", async () => {
  const { registry, docker } = await testEngine();
  const own = `${registry}/busybox`;
  await docker.getImage("busybox:latest").tag({ repo: "contract/tool", tag: "1.2" });

  const images = ["busybox", "contract/tool:1.2", own];

  const infos = await Promise.all(images.map((image) => inspected({ image })));
  expect(infos.map(({ Config }) => Config.Image)).toEqual([
    "busybox:latest",
    "contract/tool:1.2",
    `${own}:latest`,
  ]);
});

test("image: one of a registry is pulled by its digest", async () => {
  const { registry, docker } = await testEngine();
  const info = await docker.getImage(`${registry}/busybox:latest`).inspect();
  const digest = info.RepoDigests.find((name) => name.startsWith(registry)) ?? "";
  expect(digest).toContain("@sha256:");

  const payload = { image: digest, command: "echo ran", pullPolicy: "always" };

  expect(await output(payload)).toBe("ran\n");
});

test.each<[string | string[], string[]]>([
  [`printf '%s\\n' 'a b' "c\\"d" e\\ f $HOME *`, ["a b", 'c"d', "e f", "$HOME", "*"]],
  [
    ["printf", "%s\\n", "a b", "$HOME", "", "'"],
    ["a b", "$HOME", "", "'"],
  ],
])("command: %j reaches the process as these words, nothing expanded", async (command, words) => {
  expect(await output({ command })).toBe(words.map((word) => `${word}\n`).join(""));
});

test("command: it is the container's Cmd, word by word", async () => {
  const { Config } = await inspected({ command: `sh -c '${UNTIL_TOLD}' "" "a b"` });

  expect(Config.Cmd).toEqual(["sh", "-c", UNTIL_TOLD, "", "a b"]);
});

test("envs: they are the container's variables, secret ones with their values", async () => {
  const envs = { A: "a b\n$X", N: 1.5, B: true, API_TOKEN: "secret", EMPTY: "" };

  const { Config } = await inspected({ envs });

  const given = ["A=a b\n$X", "N=1.5", "B=true", "API_TOKEN=secret", "EMPTY="];
  expect(Config.Env).toEqual(expect.arrayContaining(given));
});

test("resources: cpus, memory and pids are the container's limits", async () => {
  const { HostConfig } = await inspected({ resources: { cpus: 0.5, memory: "64m", pids: 50 } });

  expect(HostConfig).toMatchObject({
    NanoCpus: 500_000_000,
    Memory: 64 * MIB,
    MemorySwap: 64 * MIB,
    PidsLimit: 50,
  });
});

test("resources: a process that takes more memory is killed for it", async () => {
  const payload = { command: "tail /dev/zero", resources: { memory: "16m" } };

  const ended = await untilEnded(await enqueue(app.url, "container", payload));

  expect(ended).toMatchObject({ status: "failed", failureCause: "oom_killed", exitCode: 137 });
});

test("network, user, workdir, additionalDNSEntries: what is allowed reaches the container", async () => {
  const entries = { "db.example": "10.0.0.5", "v6.example": "fd00::5" };
  const { HostConfig, Config } = await inspected({
    network: "none",
    user: "1000:1001",
    workdir: "/tmp",
    additionalDNSEntries: entries,
  });

  expect(HostConfig.NetworkMode).toBe("none");
  expect([Config.User, Config.WorkingDir]).toEqual(["1000:1001", "/tmp"]);
  expect(HostConfig.ExtraHosts?.toSorted()).toEqual(["db.example:10.0.0.5", "v6.example:fd00::5"]);
});

test("network, user, workdir, additionalDNSEntries: the process sees them", async () => {
  const script = "id -u; id -g; pwd; grep -c db.example /etc/hosts";
  const additionalDNSEntries = { "db.example": "10.0.0.5" };
  const keys = { user: "1000:1001", workdir: "/tmp", additionalDNSEntries };

  expect(await output({ command: ["sh", "-c", script], ...keys })).toBe("1000\n1001\n/tmp\n1\n");
});

test("network, user, workdir, additionalDNSEntries: a network that is not listed is a 403", async () => {
  for (const network of ["host", "bridge", "default"]) {
    const body = JSON.stringify({ image: "busybox", command: "true", network });
    const { issues } = await errorOf(await post(app, "/tasks/container/", body), 403);

    expect(issues?.[0]?.path).toBe("network");
    expect(issues?.[0]?.message).toStartWith("must be one of none: no other is allowed");
  }
});

test("no payload mounts a host's path, is privileged or adds capabilities", async () => {
  const everything = {
    resources: { cpus: 1, memory: "64m", pids: 50 },
    envs: { HostConfig: "Privileged" },
    metadata: { HostConfig: { Privileged: true, Binds: ["/:/host"] } },
    network: "none",
    user: "0",
    workdir: "/tmp",
    additionalDNSEntries: { "db.example": "10.0.0.5" },
  };

  const { HostConfig, Mounts } = await inspected(everything);

  expect(Mounts).toEqual([]);
  for (const list of [HostConfig.Binds, HostConfig.Devices]) expect(list ?? []).toEqual([]);
  // Some engines write them with `CAP_`.
  const kept = HostConfig.CapAdd?.map((name: string) => name.replace(/^CAP_/, ""));
  expect(kept?.toSorted()).toEqual([...ORDINARY.capabilities]);
  expect(HostConfig).toMatchObject({
    CapDrop: ["ALL"],
    Privileged: false,
    PublishAllPorts: false,
    PidMode: "",
    UsernsMode: "",
    SecurityOpt: ["no-new-privileges"],
  });
  expect(["private", "shareable", ""]).toContain(HostConfig.IpcMode ?? "");
});

test("registryAuth: a job that names a login of the configuration is pulled and runs", async () => {
  const { host, registry } = await testEngine();
  await using proxy = await startDockerProxy(host);
  const dockerHosts = [{ match: "", hosts: [proxy.host], maxRunning: 20 }];
  const registries = { mine: { registry, username: "ann", password: "secret" } };
  await using own = await startTestApp({ config: { dockerHosts, registries } });
  const image = `${registry}/busybox`;
  const payload = { image, command: "echo ran", pullPolicy: "always", registryAuth: "mine" };

  const ended = await untilEnded((await enqueue(own.url, "pulls", payload)) as Enqueued);

  expect(ended).toMatchObject({ status: "done", log: "ran\n" });
  expect(proxy.calls.filter((call) => /\/images\/create/.test(call))).toHaveLength(1);
  expect(proxy.logins.map((login) => JSON.parse(login))).toEqual([
    { username: "ann", password: "secret", serveraddress: registry },
  ]);
  expect(proxy.calls.join()).not.toContain("secret");
});

test("pullPolicy: never runs what is there and pulls nothing, missing pulls what is not", async () => {
  const { host, registry } = await testEngine();
  await using proxy = await startDockerProxy(host);
  const dockerHosts = [{ match: "", hosts: [proxy.host], maxRunning: 20 }];
  await using own = await startTestApp({ config: { dockerHosts } });
  const pulls = () => proxy.calls.filter((call) => /\/images\/create/.test(call)).length;
  const run = async (image: string, pullPolicy: string) =>
    await untilEnded(await enqueue(own.url, "pulls", { image, command: "true", pullPolicy }));

  expect(await run("busybox", "never")).toMatchObject({ status: "done" });
  expect(await run("busybox", "missing")).toMatchObject({ status: "done" });
  expect(pulls()).toBe(0);
  const never = await run(`${registry}/not-there:1`, "never");
  expect(never).toMatchObject({ status: "failed", failureCause: "image_not_found" });
  expect(pulls()).toBe(0);
  await run(`${registry}/not-there:1`, "missing");
  await run(`${registry}/busybox`, "always");
  expect(pulls()).toBe(2);
});
