import { expect, test } from "bun:test";
import { setTimeout as delay } from "node:timers/promises";
import { type Enqueued, eventually, untilEnded } from "../support/client.ts";
import { containersOf, testEngine } from "../support/engine.ts";
import { startPostgres } from "../support/postgres.ts";
import { type FastlaneProcess, startFastlane } from "../support/process.ts";
import { installationOf, recordStarts } from "./postgres-recorder.ts";

const RESTARTS = 100;
const TIME_LIMIT_MS = 400_000;
const SCRIPT = "echo $RUN begins; sleep 0.4; echo $RUN warns >&2; sleep 0.4; echo $RUN ends";

test(
  "100 restarts of Postgres under load lose nothing, run nothing twice and end no process",
  async () => {
    await using postgres = await startPostgres();
    const { host, docker } = await testEngine();
    await using fastlane = await startFastlane({
      environment: {
        DATABASE_URL: postgres.url,
        FASTLANE_DOCKER_HOSTS: JSON.stringify([{ match: "", hosts: [host], maxRunning: 8 }]),
      },
    });
    const installation = await installationOf(postgres.url);
    using recorder = await recordStarts(docker, installation);
    const load = startLoad(fastlane);
    let hasEnded = false;
    void fastlane.ended.then(() => {
      hasEnded = true;
    });

    for (let restart = 0; restart < RESTARTS; restart++) {
      if (hasEnded) throw new Error(`fastlane ended by itself: ${fastlane.stderr().slice(-4_000)}`);
      await postgres.restart(restart % 2 === 0 ? "immediate" : "fast");
      await delay(400 + Math.random() * 500);
    }
    const { acknowledged, answers, oddities } = await load.stop();

    expect(oddities).toEqual([]);
    expect(answers.get(200)).toBeGreaterThan(20);
    expect(acknowledged.length).toBeGreaterThan(20);
    for (const [run, enqueued] of acknowledged) {
      const ended = await untilEnded(enqueued, 90_000);
      expect({ run, ...ended }).toMatchObject({
        run,
        status: "done",
        exitCode: 0,
        log: `${run} begins\n${run} ends\n`,
        error: `${run} warns\n`,
      });
    }
    const twice = [...recorder.starts].filter(([, times]) => times > 1);
    expect(twice).toEqual([]);
    for (const [, { executionId }] of acknowledged) {
      expect(recorder.starts.get(executionId)).toBe(1);
    }
    await eventually(
      async () => ((await containersOf(docker, installation)).length === 0 ? true : undefined),
      () => "containers are left",
      60_000,
    );
    expect(fastlane.stderr()).not.toContain('"bug"');
    expect(await fastlane.end("SIGTERM")).toBe(0);
  },
  TIME_LIMIT_MS,
);

/** POSTs and reads without a pause, and keeps what was acknowledged and what was answered. */
function startLoad(fastlane: FastlaneProcess) {
  const acknowledged: [run: string, enqueued: Enqueued][] = [];
  const answers = new Map<number, number>();
  const oddities: string[] = [];
  let isStopped = false;
  let ran = 0;

  const look = async (response: Awaited<ReturnType<typeof fetch>>) => {
    answers.set(response.status, (answers.get(response.status) ?? 0) + 1);
    if (response.ok) return;
    const body: unknown = await response.json().catch(() => "no JSON");
    const words = JSON.stringify(body);
    if (response.status !== 503 || !/^\{"error":"[^"]+","operation":"\w+"\}$/.test(words)) {
      oddities.push(`${response.status} ${words}`);
    }
  };
  const post = async () => {
    const run = `run-${ran++}`;
    const response = await fetch(`${fastlane.url}/tasks/restarts/`, {
      method: "POST",
      body: JSON.stringify({
        image: "busybox",
        command: ["sh", "-c", SCRIPT],
        envs: { RUN: run },
        pullPolicy: "missing",
      }),
    });
    await look(response);
    if (response.ok) acknowledged.push([run, (await response.json()) as Enqueued]);
  };
  const read = async () => {
    const [, enqueued] = acknowledged[Math.floor(Math.random() * acknowledged.length)] ?? [];
    await look(await fetch(enqueued?.executionUrl ?? `${fastlane.url}/tasks/`));
  };
  const repeatedly = async (request: () => Promise<void>, pauseMs: number) => {
    while (!isStopped) {
      await request().catch((error: unknown) => oddities.push(String(error)));
      await delay(pauseMs);
    }
  };
  const loops = [repeatedly(post, 400), repeatedly(read, 50), repeatedly(read, 50)];
  return {
    async stop() {
      isStopped = true;
      await Promise.all(loops);
      return { acknowledged, answers, oddities };
    },
  };
}
