/*
 * A farm of scripted engines, as large as no machine of ours has: memory and processor time of one
 * node that runs thousands of executions, and how soon it starts short ones beside them, while all
 * hosts are well and while some fail all the time. By itself:
 * `node_modules/.bin/bun bench/farm-scale.ts --hosts 200 --running 2000 --failing 10`.
 */
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { containerNameOf } from "../src/farm/labels.ts";
import { type Enqueued, enqueue, untilEnded } from "../test/support/client.ts";
import { startPostgres } from "../test/support/postgres.ts";
import { startFastlane } from "../test/support/process.ts";
import { type ScriptedFarm, startScriptedFarm } from "../test/support/scripted-docker/farm.ts";
import type { Fault } from "../test/support/scripted-docker/host.ts";
import { useOf } from "./process-use.ts";
import { type Spread, spreadOf } from "./statistics.ts";

export interface FarmScaleOptions {
  hosts: number;
  /** Executions at once at the most; the latencies are measured beside half of them. */
  running: number;
  failing: number;
  samples: number;
}

/** What one node used while so many executions ran. */
export interface FarmLoad {
  running: number;
  residentMb: number;
  /** Of one core, 0 to 1 and above. */
  cpu: number;
}

export interface FarmScale extends FarmScaleOptions {
  idle: FarmLoad;
  half: FarmLoad;
  whole: FarmLoad;
  peakMb: number;
  /** Milliseconds from a POST being sent to the engine being asked to start the container. */
  allWell: Spread;
  someFail: Spread;
  /** How the executions that ran long ended, those on failing hosts among them. */
  done: number;
  /** Of those that ended, whose log is as it was written, line by line. */
  wholeLogs: number;
  /** Containers that were started more than once. */
  startedTwice: number;
}

/** Of those that run while the latencies are measured, and of those that come after that. */
const FIRST_LINES = 60;
const SECOND_LINES = 20;
const LONG_EVERY_MS = 3_000;
/** As from a client of its own that enqueues again and again. */
const POST_EVERY_MS = 100;
const POSTS_AT_ONCE = 16;
const MEASURE_MS = 10_000;
/** Until each failing host has been asked, and has not answered for as long as it is given. */
const SETTLE_MS = 15_000;
const PATIENCE_MS = 300_000;

const FAULTS: readonly Fault[] = [{ kind: "refuse" }, { kind: "hang" }, { kind: "error" }];

export async function measureFarmScale(options: FarmScaleOptions): Promise<FarmScale> {
  const { hosts, running, failing, samples } = options;
  await using database = await startPostgres({ durable: true });
  await using farm = await startScriptedFarm(hosts);
  await using fastlane = await startFastlane({
    environment: {
      FASTLANE_DATABASE_URL: database.url,
      FASTLANE_DOCKER_HOSTS: JSON.stringify([
        { match: "^long$", hosts: farm.hosts, maxRunning: running },
        { match: "", hosts: farm.hosts, maxRunning: running },
      ]),
      // Hosts that fail are warned of every few seconds.
      FASTLANE_LOG_LEVEL: "error",
    },
  });
  const { url, pid } = fastlane;
  using _ = { [Symbol.dispose]: () => void process.stderr.write(fastlane.stderr()) };
  await until(async () => {
    const status = await (await fetch(`${url}/status/`)).json();
    return (status as { hosts: { available: boolean }[] }).hosts.every((host) => host.available);
  }, "all hosts are available");
  const loadNow = async (): Promise<FarmLoad> => {
    const before = await useOf(pid);
    await delay(MEASURE_MS);
    const after = await useOf(pid);
    const cpu = ((after.cpuSeconds - before.cpuSeconds) * 1_000) / MEASURE_MS;
    return { running: await runningOn(farm), residentMb: after.residentMb, cpu };
  };

  const idle = await loadNow();
  const first = await enqueueLong(url, running / 2, FIRST_LINES);
  await until(async () => (await runningOn(farm)) >= running / 2, "half of the executions run");
  const half = await loadNow();
  const allWell = await startLatency(farm, url, samples);

  const sick = Array.from({ length: failing }, (_, number) => number);
  for (const number of sick) await farm.setFault(faultOf(number), [number]);
  await delay(SETTLE_MS);
  const someFail = await startLatency(farm, url, samples);
  await farm.setFault(null, sick);

  const second = await enqueueLong(url, running - running / 2, SECOND_LINES);
  await until(async () => (await runningOn(farm)) >= running, "all executions run");
  const whole = await loadNow();
  const ends = [await endsOf(second, SECOND_LINES), await endsOf(first, FIRST_LINES)];
  const { peakMb } = await useOf(pid);
  const starts = [...(await farm.starts()).values()];
  return {
    ...options,
    idle,
    half,
    whole,
    peakMb,
    allWell,
    someFail,
    done: ends.reduce((sum, { done }) => sum + done, 0),
    wholeLogs: ends.reduce((sum, { wholeLogs }) => sum + wholeLogs, 0),
    startedTwice: starts.filter(({ length }) => length > 1).length,
  };
}

function faultOf(number: number): Fault {
  return FAULTS[number % FAULTS.length] ?? { kind: "refuse" };
}

async function runningOn(farm: ScriptedFarm): Promise<number> {
  return (await farm.tell()).reduce((sum, host) => sum + host.running, 0);
}

async function enqueueLong(url: string, count: number, lines: number): Promise<Enqueued[]> {
  const command = `chatter ${lines} ${LONG_EVERY_MS}ms`;
  const enqueued: Enqueued[] = [];
  const lane = async () => {
    while (enqueued.length < count) {
      // Counted before it is there, so that the lanes together make no more.
      const place = enqueued.push({} as Enqueued) - 1;
      enqueued[place] = await enqueue(url, "long", { command });
    }
  };
  await Promise.all(Array.from({ length: POSTS_AT_ONCE }, lane));
  return enqueued;
}

/** Each is sent when its time has come, whether or not those before it have started. */
async function startLatency(farm: ScriptedFarm, url: string, samples: number): Promise<Spread> {
  const sent = new Map<string, number>();
  const posts: Promise<unknown>[] = [];
  for (let sample = 0; sample < samples; sample++) {
    const sentAt = performance.timeOrigin + performance.now();
    const post = enqueue(url, "short", { command: "true" });
    posts.push(post.then(({ executionId }) => sent.set(containerNameOf(executionId), sentAt)));
    await delay(POST_EVERY_MS);
  }
  await Promise.all(posts);
  let latencies: number[] = [];
  await until(async () => {
    const starts = await farm.starts();
    latencies = [...sent].flatMap(([name, sentAt]) => {
      const startedAt = starts.get(name)?.[0];
      return startedAt === undefined ? [] : [startedAt - sentAt];
    });
    return latencies.length === samples;
  }, "all short executions have started");
  return spreadOf(latencies);
}

async function endsOf(
  long: readonly Enqueued[],
  lines: number,
): Promise<{ done: number; wholeLogs: number }> {
  const log = Array.from({ length: lines }, (_, line) => `line ${line + 1}\n`).join("");
  let done = 0;
  let wholeLogs = 0;
  for (const each of long) {
    const execution = await untilEnded(each, PATIENCE_MS);
    if (execution.status === "done") done += 1;
    if (execution.log === log) wholeLogs += 1;
  }
  return { done, wholeLogs };
}

async function until(isSo: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`Waited in vain until ${what}`);
    await delay(200);
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      hosts: { type: "string", default: "200" },
      running: { type: "string", default: "2000" },
      failing: { type: "string", default: "10" },
      samples: { type: "string", default: "200" },
    },
  });
  const numbers = {
    hosts: Number(values.hosts),
    running: Number(values.running),
    failing: Number(values.failing),
    samples: Number(values.samples),
  };
  process.stdout.write(`${JSON.stringify(await measureFarmScale(numbers), null, 2)}\n`);
  process.exit(0);
}
