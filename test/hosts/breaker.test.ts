import { expect, test } from "bun:test";
import { startTestApp } from "../support/app.ts";
import { enqueue, untilEnded } from "../support/client.ts";
import { startDockerProxy } from "../support/docker-proxy.ts";
import { testEngine } from "../support/engine.ts";
import { getWhy, untilHost } from "../support/hosts.ts";

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
  const why = await getWhy(stubborn.executionUrl);
  const again = await untilHost(
    app.url,
    bad.host,
    ({ error }) => error?.includes("probe") ?? false,
  );
  const probing = bad.delay(/^POST .*\/containers\/create\?name=fastlane-probe/);
  await probing.reached;
  const halfOpen = await untilHost(app.url, bad.host, ({ circuit }) => circuit === "half-open");
  probing.release();
  const ended = await untilEnded(stubborn);

  expect(open).toMatchObject({ available: false, failures: 3 });
  expect(open.error).toContain("no space left");
  expect(Date.parse(open.nextProbeAt ?? "")).toBeGreaterThan(Date.now() - 60_000);
  expect(why.summary).toContain("its circuit is open after 3 failures");
  expect(again).toMatchObject({ circuit: "open", failures: 4, available: false });
  expect(halfOpen.failures).toBe(4);
  expect(ended.status).toBe("done");
  const closed = await untilHost(app.url, bad.host, ({ circuit }) => circuit === "closed");
  expect(closed).toMatchObject({ available: true, failures: 0, error: null, nextProbeAt: null });
}, 120_000);

test("failures that are not in a row leave the circuit closed, and the execution goes to another host", async () => {
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

  for (let round = 0; round < 4; round++) {
    bad.answer(/\/containers\/create/, 500, "out of sorts", 1);
    const failing = await enqueue(app.url, "t", { command: "true" });
    const ended = await untilEnded(failing);
    expect(ended.status).toBe("done");
    const works = await Promise.all([1, 2].map(() => enqueue(app.url, "t", { command: "true" })));
    for (const each of works) expect((await untilEnded(each)).status).toBe("done");
  }

  const { circuit, failures } = await untilHost(app.url, bad.host, () => true);
  expect({ circuit, failures }).toMatchObject({ circuit: "closed" });
  expect(failures).toBeLessThan(RULES.dockerCircuitBreakerMaxFails);
}, 120_000);
