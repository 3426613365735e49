import { expect, test } from "bun:test";
import { setTimeout as delay } from "node:timers/promises";
import { containerNameOf } from "../../src/farm/labels.ts";
import { type Enqueued, type ExecutionJson, eventually } from "../support/client.ts";
import { recordStarts, untilNoContainers } from "../support/containers.ts";
import { testEngine } from "../support/engine.ts";
import { holdSocket } from "../support/held-socket.ts";
import { textOf } from "../support/log-socket.ts";
import { type FastlaneProcess, startFastlane } from "../support/process.ts";
import { executionsOf, momentsOf, rollingClient, untilSaid } from "../support/rolling-client.ts";
import { startScriptedFarm } from "../support/scripted-docker/farm.ts";
import { migratedDatabase } from "../support/store.ts";

const SCRIPTED_HOSTS = 3;
/** Three of each node. */
const RESTARTS = 6;
const LONG = { scripted: 40, real: 10, lines: 40 };
const SHORT = 450;
const ALL = LONG.scripted + LONG.real + SHORT;
/** Between two POSTs. */
const PAUSE_MS = 60;
/** Every so many of the short ones runs on the real engine, or has its POST wait for its end. */
const [REAL_EVERY, WAIT_EVERY] = [10, 15];

const numbered = (count: number) =>
  Array.from({ length: count }, (_, index) => `line ${index + 1}\n`).join("");
const loop = (count: number) =>
  `i=0; while [ $i -lt ${count} ]; do i=$((i+1)); echo line $i; sleep 1; done`;

interface Made extends Enqueued {
  expected: string;
}

test("two nodes behind one socket are restarted in turns under load, and nothing is lost", async () => {
  const { host, docker } = await testEngine();
  await using farm = await startScriptedFarm(SCRIPTED_HOSTS);
  await using database = await migratedDatabase();
  await using starts = await recordStarts(docker);
  const socket = holdSocket();
  const environment = {
    FASTLANE_DATABASE_URL: database.url,
    FASTLANE_STOP_DELAY_SECONDS: "1",
    FASTLANE_DOCKER_HOSTS: JSON.stringify([
      { match: "^real-", hosts: [host], maxRunning: 40 },
      { hosts: farm.hosts, maxRunning: 200 },
    ]),
  };
  const start = () => startFastlane({ environment, socket: socket.fd });
  const nodes = await Promise.all([start(), start()]);
  const logs: FastlaneProcess[] = [...nodes];
  const client = rollingClient(`http://127.0.0.1:${socket.port}`);
  const all: Made[] = [];
  const make = async (
    task: string,
    payload: Record<string, unknown>,
    expected: string,
    query = "",
  ) => {
    const made = { ...(await client.enqueue(task, payload, query)), expected };
    all.push(made);
    return made;
  };

  const { lines } = LONG;
  const followed = await Promise.all([
    ...Array.from({ length: LONG.scripted }, () =>
      make("long", { command: `chatter ${lines} 1s` }, numbered(lines)),
    ),
    ...Array.from({ length: LONG.real }, () =>
      make("real-long", { command: ["sh", "-c", loop(lines)] }, numbered(lines)),
    ),
  ]);
  const following = Promise.all(
    followed.map(async (made) => ({ made, ...(await client.follow(made)) })),
  );

  const ends: { code: number | null; ms: number; told: number; other: FastlaneProcess }[] = [];
  const restart = async (which: 0 | 1) => {
    const [old, other] = [nodes[which], nodes[which === 0 ? 1 : 0]];
    await untilSaid(old.stderr, "took the lease");
    const told = Date.now();
    const code = await old.end("SIGTERM");
    ends.push({ code, ms: Date.now() - told, told, other });
    nodes[which] = await start();
    logs.push(nodes[which]);
  };
  const short = async (number: number) => {
    const query = number % WAIT_EVERY === 0 ? "?wait=30" : "";
    const task = number % REAL_EVERY === 0 ? "real-short" : "short";
    const command = ["sh", "-c", `echo first ${number}; sleep 0.3; echo last ${number}`];
    await make(task, { command }, `first ${number}\nlast ${number}\n`, query);
  };
  const posted: Promise<void>[] = [];
  for (let turn = 0; turn < RESTARTS; turn++) {
    const isRestarted = restart(turn % 2 === 0 ? 0 : 1);
    for (let count = 0; count < SHORT / RESTARTS; count++) {
      posted.push(short(posted.length));
      await delay(PAUSE_MS);
    }
    await isRestarted;
  }
  await Promise.all(posted);

  const ended = await Promise.all(
    all.map(async (made) => {
      let execution: ExecutionJson | undefined;
      await eventually(
        async () => {
          const answer = await client.get<{ execution: ExecutionJson }>(made.executionUrl);
          execution = answer.execution;
          return execution.finishedAt === null ? undefined : true;
        },
        () => `${made.executionId} has not ended: ${execution?.status}`,
      );
      return { made, execution };
    }),
  );
  const sockets = await following;
  const endsTold = new Map<string, number>();
  for (const execution of logs.flatMap(({ stderr }) => executionsOf(stderr(), "ended"))) {
    endsTold.set(execution, (endsTold.get(execution) ?? 0) + 1);
  }

  expect(ends.map(({ code }) => code)).toEqual(Array(RESTARTS).fill(0));
  expect(logs.filter(({ stderr }) => stderr().includes("did not end in time"))).toEqual([]);
  // Until it is given back, a host is nobody's while its node's process lives.
  const inTime = ends.filter(({ told, ms, other }) =>
    momentsOf(other.stderr(), "took the lease").some((at) => at >= told && at < told + ms),
  );
  expect(inTime).not.toEqual([]);
  // The socket outlives its nodes: nobody is turned away.
  expect(client.broken.filter((code) => code === "ConnectionRefused")).toEqual([]);
  expect(all).toHaveLength(ALL);
  expect(new Set(all.map(({ executionId }) => executionId)).size).toBe(ALL);
  const wrong = ended.filter(
    ({ made, execution }) => execution?.status !== "done" || execution.log !== made.expected,
  );
  expect(wrong).toEqual([]);
  for (const { made, frames } of sockets) {
    expect(frames.map(({ seq }) => seq)).toEqual(frames.map((_, index) => index + 1));
    expect(textOf(frames)).toBe(made.expected);
  }
  const closes = sockets.flatMap((one) => one.closes);
  expect(closes.filter((close) => !["1012 retry", "1000 done"].includes(close))).toEqual([]);
  expect(closes.filter((close) => close === "1012 retry").length).toBeGreaterThanOrEqual(
    sockets.length,
  );
  const scriptedStarts = await farm.starts();
  for (const { executionId } of all) {
    const scripted = scriptedStarts.get(containerNameOf(executionId))?.length ?? 0;
    expect(scripted + starts.of(executionId), executionId).toBe(1);
    // A node that ends between the commit and its line tells nobody, but none tells it twice.
    expect(endsTold.get(executionId) ?? 0, executionId).toBeLessThanOrEqual(1);
  }
  await eventually(
    async () =>
      (await farm.tell()).every(({ containers }) => containers === 0) ? true : undefined,
    () => "containers are left",
  );
  await untilNoContainers(docker, database.installation);
  for (const node of nodes) await node.end("SIGTERM");
  socket.close();
}, 150_000);
