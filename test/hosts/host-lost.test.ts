import { expect, test } from "bun:test";
import { startTestApp } from "../support/app.ts";
import { enqueue, untilEnded, untilExecution } from "../support/client.ts";
import { recordStarts, untilNoContainers } from "../support/containers.ts";
import { startDockerProxy } from "../support/docker-proxy.ts";
import { containersOf, startEngine, testEngine } from "../support/engine.ts";
import { getHost, getWhy, untilHost } from "../support/hosts.ts";

const COUNT = ["sh", "-c", "echo begun; sleep 600; echo over"];

test("what runs on a host that stays away is lost or run elsewhere, and stopped where it was", async () => {
  await using away = await startEngine({ network: true, listen: "tcp", liveRestore: true });
  const sound = await testEngine();
  const name = `tcp://${away.address}:2375`;
  await using app = await startTestApp({
    config: {
      dockerHosts: [{ match: "", hosts: [name, sound.host], maxRunning: 20 }],
      hostLostAfterSeconds: 3,
      dockerCircuitBreakerResetTimeoutSeconds: 1,
    },
  });
  await untilHost(app.url, name, ({ available }) => available);
  await fetch(`${app.url}/docker-executor/blacklist`, {
    method: "POST",
    body: JSON.stringify({ host: sound.host }),
  });
  const [fails, reruns] = await Promise.all([
    enqueue(app.url, "lost", { command: COUNT }),
    enqueue(app.url, "lost", { command: COUNT, onHostLost: "rerun" }),
  ]);
  for (const each of [fails, reruns]) await untilExecution(each, ({ log }) => log === "begun\n");
  await fetch(`${app.url}/docker-executor/blacklist`, {
    method: "DELETE",
    body: JSON.stringify({ host: sound.host }),
  });

  await away.cut();
  const lost = await untilEnded(fails);
  const moved = await untilExecution(reruns, ({ status, metadata }) => {
    return status === "running" && metadata.docker_host === sound.host;
  });
  const leftThere = await containersOf(away.docker, app.database.installation);
  await away.heal();
  const back = await untilHost(app.url, name, ({ reconciliation }) => {
    return reconciliation["stopped"] === 2;
  });
  await untilNoContainers(away.docker, app.database.installation);
  const goesOn = await untilExecution(reruns, ({ log }) => log === "begun\nbegun\n");

  expect(lost).toMatchObject({ status: "failed", failureCause: "host_lost", log: "begun\n" });
  expect(lost.error).toContain("has not answered for");
  expect(moved.metadata.docker_host).toBe(sound.host);
  expect(leftThere).toHaveLength(2);
  expect(back.reconciliation).toMatchObject({ lost: 2, stopped: 2 });
  expect(goesOn.status).toBe("running");
  const why = await getWhy(fails.executionUrl);
  expect(why.reasons.map(({ code }) => code)).toEqual(["host_lost", "lost", "stopped"]);
});

test("a container of an execution that ended while its host was away is removed when it is back", async () => {
  await using away = await startEngine({ network: true, listen: "tcp", liveRestore: true });
  const name = `tcp://${away.address}:2375`;
  await using app = await startTestApp({
    config: {
      dockerHosts: [{ match: "", hosts: [name], maxRunning: 20 }],
      hostLostAfterSeconds: 3,
      dockerCircuitBreakerResetTimeoutSeconds: 1,
    },
  });
  const short = await enqueue(app.url, "short", { command: "sleep 2" });
  await untilExecution(short, ({ status }) => status === "running");

  await away.cut();
  await untilEnded(short);
  await away.heal();
  await untilNoContainers(away.docker, app.database.installation);

  const host = await getHost(app.url, name);
  expect(host.reconciliation).toMatchObject({ lost: 1, removed: 1, stopped: 0 });
  expect(host.reconciliation.last.map(({ decision }) => decision)).toEqual(["removed", "lost"]);
});

test.each([
  ["fail", "failed", 0],
  ["rerun", "done", 1],
])(
  "an engine that went down while it was to start a container may have run it: with %p it ends as %p",
  async (onHostLost, status, starts) => {
    await using engine = await startEngine();
    await using proxy = await startDockerProxy(engine.host);
    await using app = await startTestApp({
      config: {
        dockerHosts: [{ match: "", hosts: [proxy.host], maxRunning: 20 }],
        dockerCircuitBreakerResetTimeoutSeconds: 1,
      },
    });
    await untilHost(app.url, proxy.host, ({ available }) => available);
    const held = proxy.hold("before", /^POST .*\/start$/);
    const job = await enqueue(app.url, "t", { command: "echo once", onHostLost });
    await held;

    await engine.kill("SIGKILL");
    await untilHost(app.url, proxy.host, ({ available }) => !available);
    await engine.start();
    await using started = await recordStarts(engine.docker, { since: 0 });
    const ended = await untilEnded(job);

    expect(ended.status).toBe(status);
    if (status === "failed") expect(ended.error).toContain("which may have run");
    await untilNoContainers(engine.docker, app.database.installation);
    expect(started.of(job.executionId)).toBe(starts);
  },
);
