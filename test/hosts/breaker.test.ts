import { expect, test } from "bun:test";
import { startTestApp } from "../support/app.ts";
import { enqueue, eventually, untilEnded, untilExecution } from "../support/client.ts";
import { startDockerProxy } from "../support/docker-proxy.ts";
import { testEngine } from "../support/engine.ts";
import { getHost, getWhy, sendJson, untilHost } from "../support/hosts.ts";

const RULES = { dockerCircuitBreakerMaxFails: 3, dockerCircuitBreakerResetTimeoutSeconds: 2 };

test("a host that fails too often in a row gets nothing new until a container has run there", async () => {
  const { host } = await testEngine();
  await using bad = await startDockerProxy(host);
  await using good = await startDockerProxy(host);
  await using app = await startTestApp({
    config: {
      dockerHosts: [
        { match: "^bad", hosts: [bad.host], maxRunning: 20 },
        { match: "", hosts: [bad.host, good.host], maxRunning: 20 },
      ],
      ...RULES,
    },
  });
  await untilHost(app.url, bad.host, ({ available }) => available);
  await untilHost(app.url, good.host, ({ available }) => available);
  bad.answer(/^POST .*\/containers\/create\?name=fastlane-job/, 500, "no space left", 3);
  bad.answer(/^POST .*\/containers\/create\?name=fastlane-probe/, 500, "still no space", 1);

  const stubborn = await enqueue(app.url, "bad", { command: "true" });
  const open = await untilHost(app.url, bad.host, ({ circuit }) => circuit === "open");
  const elsewhere = [];
  for (let i = 0; i < 3; i++) elsewhere.push(await enqueue(app.url, "any", { command: "true" }));
  for (const each of elsewhere) {
    expect((await untilEnded(each)).metadata.docker_host).toBe(good.host);
  }
  const again = await untilHost(
    app.url,
    bad.host,
    ({ error }) => error?.includes("probe") ?? false,
  );
  const probing = bad.delay(/^POST .*\/containers\/create\?name=fastlane-probe/);
  await probing.reached;
  const halfOpen = await untilHost(app.url, bad.host, ({ circuit }) => circuit === "half-open");
  // Asked while the probe is held back, since each probe that fails counts as one failure more.
  const why = await getWhy(stubborn.executionUrl);
  probing.release();
  const ended = await untilEnded(stubborn);

  expect(open).toMatchObject({ available: false, failures: 3 });
  expect(open.error).toContain("no space left");
  expect(open.nextProbeAt).not.toBeNull();
  expect(why.summary).toContain("its circuit is half-open after 4 failures");
  expect(again).toMatchObject({ circuit: "open", failures: 4, available: false });
  expect(halfOpen.failures).toBe(4);
  expect(ended.status).toBe("done");
  const closed = await untilHost(app.url, bad.host, ({ circuit }) => circuit === "closed");
  expect(closed).toMatchObject({ available: true, failures: 0, error: null, nextProbeAt: null });
}, 120_000);

test("failures that are not in a row leave the circuit closed", async () => {
  const { host } = await testEngine();
  await using bad = await startDockerProxy(host);
  await using app = await startTestApp({
    config: { dockerHosts: [{ match: "", hosts: [bad.host], maxRunning: 20 }], ...RULES },
  });
  await untilHost(app.url, bad.host, ({ available }) => available);

  for (let round = 0; round < RULES.dockerCircuitBreakerMaxFails + 1; round++) {
    bad.answer(/\/containers\/create/, 500, "out of sorts", 1);
    expect((await untilEnded(await enqueue(app.url, "t", { command: "true" }))).status).toBe(
      "done",
    );
    const { circuit, failures } = await getHost(app.url, bad.host);
    expect({ circuit, failures }).toEqual({ circuit: "closed", failures: 0 });
  }
}, 120_000);

test("what could not begin on a host goes to another one", async () => {
  const { host } = await testEngine();
  await using bad = await startDockerProxy(host);
  await using good = await startDockerProxy(host);
  await using app = await startTestApp({
    config: {
      dockerHosts: [{ match: "", hosts: [bad.host, good.host], maxRunning: 20 }],
      ...RULES,
    },
  });
  await untilHost(app.url, bad.host, ({ available }) => available);
  await untilHost(app.url, good.host, ({ available }) => available);
  const blacklist = (method: "POST" | "DELETE", host: string) =>
    sendJson(method, `${app.url}/docker-executor/blacklist`, { host });
  // The good one runs more, so that nothing else speaks for it.
  await blacklist("POST", bad.host);
  const long = await enqueue(app.url, "t", { command: "sleep 600" });
  await untilExecution(long, ({ status }) => status === "running");
  await blacklist("POST", good.host);
  await blacklist("DELETE", bad.host);
  bad.answer(/\/containers\/create/, 500, "out of sorts", 1);

  const job = await enqueue(app.url, "t", { command: "true" });
  await eventually(
    async () =>
      (await getWhy(job.executionUrl)).summary.includes("out of sorts") ? true : undefined,
    () => "it has not failed to begin",
  );
  await blacklist("DELETE", good.host);

  expect((await untilEnded(job)).metadata.docker_host).toBe(good.host);
  await fetch(`${long.executionUrl}stop/`, { method: "POST" });
  await untilEnded(long);
});
