import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestApp, type TestApp } from "../support/app.ts";
import { enqueue, eventually, untilEnded, untilExecution } from "../support/client.ts";
import { untilNoContainers } from "../support/containers.ts";
import { startDockerProxy } from "../support/docker-proxy.ts";
import { startEngine, testEngine } from "../support/engine.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const poolOf = (...hosts: string[]) => ({ dockerHosts: [{ match: "", hosts, maxRunning: 20 }] });

test("exit code 0 is done, without a cause", async () => {
  const job = await enqueue(app.url, "ends", { command: "true" });

  const ended = await untilEnded(job);

  expect(ended).toMatchObject({ status: "done", exitCode: 0, failureCause: null, error: "" });
});

test("a process that takes more memory than there is ends as oom_killed", async () => {
  const { docker, host } = await testEngine();
  const job = await enqueue(app.url, "ends", {
    command: ["sh", "-c", "while [ ! -e /tmp/go ]; do sleep 0.05; done; tail /dev/zero"],
  });
  await untilExecution(job, ({ status }) => status === "running");

  const container = docker.getContainer(`fastlane-job-${job.executionId}`);
  await container.update({ Memory: 16 * 1024 * 1024, MemorySwap: 16 * 1024 * 1024 });
  const exec = await container.exec({ Cmd: ["touch", "/tmp/go"] });
  await exec.start({});

  const ended = await untilEnded(job);
  expect(ended).toMatchObject({ status: "failed", failureCause: "oom_killed", exitCode: 137 });
  expect(ended.metadata.docker_host).toBe(host);
});

test("a command that does not exist ends as create_failed, in Docker's words", async () => {
  const job = await enqueue(app.url, "ends", { command: "/no/such/program" });

  const ended = await untilEnded(job);

  expect(ended).toMatchObject({ status: "failed", failureCause: "create_failed", exitCode: null });
  expect(ended.error).toContain("/no/such/program");
  expect(ended.error).toContain("no such file or directory");
});

test("an image that is nowhere ends as image_not_found, in the registry's words", async () => {
  const { registry } = await testEngine();
  const image = `${registry}/no-such-image:1`;

  const [missing, never] = await Promise.all([
    enqueue(app.url, "ends", { image, command: "true", pullPolicy: "missing" }),
    enqueue(app.url, "ends", { image, command: "true", pullPolicy: "never" }),
  ]);

  expect(await untilEnded(missing)).toMatchObject({
    status: "failed",
    failureCause: "image_not_found",
    error: expect.stringContaining("manifest unknown"),
  });
  expect(await untilEnded(never)).toMatchObject({
    status: "failed",
    failureCause: "image_not_found",
    error: `No such image: ${image}`,
  });
});

test("always pulls from the registry, also what is there already", async () => {
  const { registry, host } = await testEngine();
  await using proxy = await startDockerProxy(host);
  await using proxied = await startTestApp({ config: poolOf(proxy.host) });
  const image = `${registry}/busybox`;

  for (const pullPolicy of ["always", "always", "missing"]) {
    const job = await enqueue(proxied.url, "pulls", { image, command: "echo pulled", pullPolicy });
    expect(await untilEnded(job)).toMatchObject({ status: "done", log: "pulled\n" });
  }

  const pulls = proxy.calls.filter((call) => /^POST .*\/images\/create/.test(call));
  expect(pulls).toHaveLength(2);
});

test("a pull that fails ends the execution although the image is there, when the policy is always", async () => {
  const job = await enqueue(app.url, "ends", { command: "true", pullPolicy: "always" });

  const ended = await untilEnded(job);

  expect(ended).toMatchObject({ status: "failed", failureCause: "pull_failed", exitCode: null });
  expect(ended.error).toContain("registry-1.docker.io");
});

test("a registry that is busy puts the execution back, and it runs later", async () => {
  const { registry, host } = await testEngine();
  await using proxy = await startDockerProxy(host);
  await using proxied = await startTestApp({ config: poolOf(proxy.host) });
  proxy.answer(/\/images\/create/, 500, "toomanyrequests: You have reached your pull rate limit");

  const image = `${registry}/busybox`;
  const job = await enqueue(proxied.url, "busy", { image, command: "true", pullPolicy: "always" });

  expect(await untilEnded(job)).toMatchObject({ status: "done" });
});

test("a container that somebody else removes ends as host_lost", async () => {
  const { docker } = await testEngine();
  const job = await enqueue(app.url, "ends", { command: "sleep 600" });
  await untilExecution(job, ({ status }) => status === "running");

  await docker.getContainer(`fastlane-job-${job.executionId}`).remove({ force: true });

  const ended = await untilEnded(job);
  expect(ended).toMatchObject({ status: "failed", failureCause: "host_lost", exitCode: null });
  expect(ended.error).toContain("removed");
});

test("an engine that is killed and comes back, its containers alive, costs nothing", async () => {
  await using engine = await startEngine({ liveRestore: true });
  await using own = await startTestApp({ config: poolOf(engine.host) });
  const job = await enqueue(own.url, "restore", {
    command: ["sh", "-c", "for i in 1 2 3 4 5 6 7 8; do echo line $i; sleep 0.5; done; exit 4"],
  });
  await untilExecution(job, ({ log }) => log.includes("line 2"));

  await engine.kill("SIGKILL");
  await untilUnavailable(own.url);
  await engine.start();

  const ended = await untilEnded(job);
  expect(ended).toMatchObject({ status: "failed", failureCause: "exit_code", exitCode: 4 });
  expect(ended.log).toBe("line 1\nline 2\nline 3\nline 4\nline 5\nline 6\nline 7\nline 8\n");
});

test("an engine that goes down with its containers ends them as host_lost, and what waits runs after", async () => {
  await using engine = await startEngine();
  await using own = await startTestApp({ config: poolOf(engine.host) });
  const job = await enqueue(own.url, "down", { command: ["sh", "-c", "echo begun; sleep 600"] });
  await untilExecution(job, ({ log }) => log === "begun\n");

  await engine.kill("SIGKILL");
  const waiting = await enqueue(own.url, "down", { command: "echo after" });
  await engine.start();

  const ended = await untilEnded(job);
  expect(ended).toMatchObject({ status: "failed", failureCause: "host_lost", log: "begun\n" });
  expect(await untilEnded(waiting)).toMatchObject({ status: "done", log: "after\n" });
  await untilNoContainers(engine.docker, own.database.installation);
});

test("an engine that hangs is left alone, and the execution goes on when it answers again", async () => {
  await using engine = await startEngine();
  await using own = await startTestApp({ config: poolOf(engine.host) });
  const job = await enqueue(own.url, "hangs", {
    command: ["sh", "-c", "for i in $(seq 1 40); do echo line $i; sleep 0.5; done"],
  });
  await untilExecution(job, ({ log }) => log.includes("line 2"));

  await engine.pause();
  await untilUnavailable(own.url);
  await engine.resume();

  const ended = await untilEnded(job);
  expect(ended).toMatchObject({ status: "done", exitCode: 0 });
  expect(ended.log).toBe(Array.from({ length: 40 }, (_, i) => `line ${i + 1}\n`).join(""));
});

async function untilUnavailable(url: string): Promise<void> {
  await eventually(
    async () => {
      const response = await fetch(`${url}/status/`);
      const { hosts } = (await response.json()) as { hosts: { available: boolean }[] };
      return hosts[0]?.available === false ? true : undefined;
    },
    () => "the host still counts as available",
  );
}
