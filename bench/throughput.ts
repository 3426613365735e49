import { setTimeout as delay } from "node:timers/promises";
import type Docker from "dockerode";
import { INSTALLATION_LABEL } from "../src/farm/labels.ts";
import { type Enqueued, enqueue, getExecution } from "../test/support/client.ts";
import { runBare } from "./bare.ts";
import { median } from "./statistics.ts";

export interface Throughput {
  concurrency: number;
  executionsPerRound: number;
  /** Executions a second, round by round. */
  service: number[];
  bare: number[];
  /** The median of the rounds' service / bare. */
  ratio: number;
}

export interface ThroughputOptions {
  docker: Docker;
  url: string;
  /** A task whose pool runs as many at once as `concurrency` says. */
  task: string;
  concurrency: number;
  executionsPerRound: number;
  rounds: number;
}

const LOOK_EVERY_MS = 50;
const ROUND_WITHIN_MS = 300_000;

/**
 * Rounds of the same executions through the service and by dockerode alone, in turn. The service is
 * given all of a round at once and keeps the pool full; a round is over when every execution reads
 * `done` and no container is left, so that neither leaves work to the other's time.
 */
export async function measureThroughput(options: ThroughputOptions): Promise<Throughput> {
  const { concurrency, executionsPerRound, rounds } = options;
  const service: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < rounds; round++) {
    // Whoever comes second finds the engine warmer: they change places.
    const turns = [async () => service.push(await serviceRound(options))];
    turns[round % 2 === 0 ? "push" : "unshift"](async () => bare.push(await bareRound(options)));
    for (const turn of turns) await turn();
  }
  const ratios = service.map((rate, round) => rate / (bare[round] ?? Number.NaN));
  return { concurrency, executionsPerRound, service, bare, ratio: median(ratios) };
}

async function serviceRound(options: ThroughputOptions): Promise<number> {
  const { docker, url, task, concurrency, executionsPerRound } = options;
  return await rateOf(executionsPerRound, async () => {
    const enqueued: Enqueued[] = [];
    await inLanes(concurrency, executionsPerRound, async () => {
      enqueued.push(await enqueue(url, task, { command: "true" }));
    });
    const deadline = performance.now() + ROUND_WITHIN_MS;
    for (const each of enqueued) await untilDone(each, deadline);
    while (await hasContainers(docker)) await delay(LOOK_EVERY_MS);
  });
}

async function bareRound({
  docker,
  concurrency,
  executionsPerRound,
}: ThroughputOptions): Promise<number> {
  return await rateOf(executionsPerRound, () =>
    inLanes(concurrency, executionsPerRound, async () => {
      const exitCode = await runBare(docker, ["true"]);
      if (exitCode !== 0) throw new Error(`A bare container ended with exit code ${exitCode}`);
    }),
  );
}

async function untilDone(enqueued: Enqueued, deadline: number): Promise<void> {
  for (;;) {
    const { status, error } = await getExecution(enqueued);
    if (status === "done") return;
    if (!["enqueued", "pulling", "running"].includes(status) || performance.now() > deadline) {
      throw new Error(`Execution ${enqueued.executionId} is ${status}: ${error}`);
    }
    await delay(LOOK_EVERY_MS);
  }
}

async function hasContainers(docker: Docker): Promise<boolean> {
  const filters = { label: [INSTALLATION_LABEL] };
  return (await docker.listContainers({ all: true, filters })).length > 0;
}

async function rateOf(count: number, work: () => Promise<void>): Promise<number> {
  const begunAt = performance.now();
  await work();
  return (count * 1000) / (performance.now() - begunAt);
}

async function inLanes(lanes: number, count: number, work: () => Promise<void>): Promise<void> {
  let left = count;
  const lane = async () => {
    while (left > 0) {
      left -= 1;
      await work();
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
