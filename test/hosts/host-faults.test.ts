import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestApp } from "../support/app.ts";
import { type Enqueued, enqueue, untilEnded, untilExecution } from "../support/client.ts";
import { recordStarts, untilNoContainers } from "../support/containers.ts";
import { type NetworkEngine, startEngine, testEngine } from "../support/engine.ts";
import { untilHost } from "../support/hosts.ts";

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
    expect(starts.of(there.executionId)).toBeLessThanOrEqual(1);
    expect(back.reconciliation["adopted"]).toBe(1);
    expect(after.status).toBe("done");
    await untilNoContainers(shaky.docker, app.database.installation);
    await untilNoContainers(sound.docker, app.database.installation);
  },
);
