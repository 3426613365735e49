import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestApp } from "../support/app.ts";
import { type Enqueued, enqueue, untilEnded, untilExecution } from "../support/client.ts";
import { recordStarts, untilNoContainers } from "../support/containers.ts";
import { startDockerProxy } from "../support/docker-proxy.ts";
import { type NetworkEngine, startEngine, testEngine } from "../support/engine.ts";
import { getWhy, untilHost } from "../support/hosts.ts";

/** It keeps its containers when its daemon goes down. */
let shaky: NetworkEngine;
beforeAll(async () => {
  shaky = await startEngine({ network: true, listen: "tcp", liveRestore: true });
}, 120_000);
afterAll(() => shaky.stop());

const LINES = Array.from({ length: 24 }, (_, i) => `line ${i + 1}\n`);
const SLOW = ["sh", "-c", `for i in $(seq 1 ${LINES.length}); do echo line $i; sleep 0.5; done`];

test.each([
  ["refuses connections", () => shaky.refuse(), () => shaky.heal()],
  ["is black-holed", () => shaky.cut(), () => shaky.heal()],
  ["hangs", () => shaky.pause(), () => shaky.resume()],
  ["is killed", () => shaky.kill("SIGKILL"), () => shaky.start()],
])(
  "while a host %s others take what comes, and what runs there is adopted with its whole log",
  async (_, breakIt, mendIt) => {
    const sound = await testEngine();
    const name = `tcp://${shaky.address}:2375`;
    const dockerHosts = [
      { match: "^there", hosts: [name], maxRunning: 20 },
      { match: "", hosts: [name, sound.host], maxRunning: 20 },
    ];
    const rules = { dockerCircuitBreakerMaxFails: 2, dockerCircuitBreakerResetTimeoutSeconds: 1 };
    await using app = await startTestApp({ config: { dockerHosts, ...rules } });
    await untilHost(app.url, name, ({ available }) => available);
    await using starts = await recordStarts(shaky.docker);
    await using elsewhere = await recordStarts(sound.docker);
    const there = await enqueue(app.url, "there", { command: SLOW });
    await untilExecution(there, ({ log }) => log.includes("line 2"));

    await breakIt();
    const down = await untilHost(app.url, name, ({ available }) => !available);
    const others: Enqueued[] = [];
    for (let i = 0; i < 4; i++) others.push(await enqueue(app.url, "any", { command: "echo ok" }));
    for (const other of others) {
      const ended = await untilEnded(other);
      expect(ended).toMatchObject({ status: "done", log: "ok\n" });
      expect(ended.metadata.docker_host).toBe(sound.host);
    }
    const meanwhile = await untilExecution(there, () => true);
    await mendIt();
    const ended = await untilEnded(there);
    const back = await untilHost(app.url, name, ({ available, circuit }) => {
      return available && circuit === "closed";
    });
    const after = await untilEnded(await enqueue(app.url, "there", { command: "true" }));

    expect(down.error).not.toBeNull();
    expect(meanwhile.status).toBe("running");
    expect(ended).toMatchObject({ status: "done", log: LINES.join("") });
    expect([starts.of(there.executionId), elsewhere.of(there.executionId)]).toEqual([1, 0]);
    // On a slow machine it may have ended by the time that its host is back.
    const { adopted = 0, finished = 0 } = back.reconciliation;
    expect(adopted + finished).toBeGreaterThan(0);
    expect(after.status).toBe("done");
    await untilNoContainers(shaky.docker, app.database.installation);
    await untilNoContainers(sound.docker, app.database.installation);
  },
);

test("while a host answers everything with 500 what runs there goes on, and nothing new is given to it", async () => {
  const { docker, host } = await testEngine();
  await using ill = await startDockerProxy(host);
  await using well = await startDockerProxy(host);
  await using app = await startTestApp({
    config: {
      dockerHosts: [
        { match: "^there", hosts: [ill.host], maxRunning: 20 },
        { match: "", hosts: [ill.host, well.host], maxRunning: 20 },
      ],
      dockerCircuitBreakerResetTimeoutSeconds: 1,
    },
  });
  await untilHost(app.url, ill.host, ({ available }) => available);
  const there = await enqueue(app.url, "there", { command: SLOW });
  await untilExecution(there, ({ log }) => log.includes("line 2"));

  ill.answer(/./, 500, "the daemon is out of memory", Number.POSITIVE_INFINITY);
  const down = await untilHost(app.url, ill.host, ({ available }) => !available);
  const other = await untilEnded(await enqueue(app.url, "any", { command: "true" }));
  const meanwhile = await untilExecution(there, () => true);
  ill.stopAnswering();

  expect(down.error).toContain("the daemon is out of memory");
  expect(other.metadata.docker_host).toBe(well.host);
  expect(meanwhile.status).toBe("running");
  expect(await untilEnded(there)).toMatchObject({ status: "done", log: LINES.join("") });
  await untilNoContainers(docker, app.database.installation);
});

test("a log whose end the engine cannot give any more is cut, and the end says so", async () => {
  const { host } = await testEngine();
  await using ill = await startDockerProxy(host);
  await using app = await startTestApp({
    config: { dockerHosts: [{ match: "", hosts: [ill.host], maxRunning: 20 }] },
  });
  ill.answer(/\/logs\?/, 500, "the log is damaged", Number.POSITIVE_INFINITY);

  const job = await enqueue(app.url, "t", { command: "echo unheard" });

  const ended = await untilEnded(job);
  expect(ended).toMatchObject({ status: "done", exitCode: 0, log: "" });
  const [reason] = (await getWhy(job.executionUrl)).reasons;
  expect(reason?.message).toContain("The end of the log could not be read");
  expect(reason?.message).toContain("the log is damaged");
});
