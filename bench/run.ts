/*
 * Measures the service's figures, each beside its yardstick of the same run, on an engine of its
 * own: `npm run bench -- --json FILE --rounds 4 --executions 40 --samples 40 --ended 1000000`. The
 * engine needs root.
 */
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, resolve } from "node:path";
import { parseArgs } from "node:util";
import { startEngine } from "../test/support/engine.ts";
import { measureDispatchLatency } from "./dispatch-latency.ts";
import { measureEndLatency } from "./end-latency.ts";
import { startEngineWatch } from "./engine-watch.ts";
import { measureEnqueueRate } from "./enqueue-rate.ts";
import { measureFarmScale } from "./farm-scale.ts";
import { measureLogSpace } from "./log-space.ts";
import { measureLogStream } from "./log-stream.ts";
import { describeMachine, hashOfBinary } from "./machine.ts";
import { type Figures, rowsOf, tableOf } from "./report.ts";
import { startService } from "./service.ts";
import { measureStartLatency } from "./start-latency.ts";
import { measureThroughput, type Throughput } from "./throughput.ts";

const { values } = parseArgs({
  options: {
    json: { type: "string", default: "build/bench.json" },
    rounds: { type: "string", default: "4" },
    executions: { type: "string", default: "40" },
    samples: { type: "string", default: "40" },
    concurrency: { type: "string", default: "4,8" },
    ended: { type: "string", default: "1000000" },
  },
});
/** How long the service is left alone before its idle memory is read. */
const IDLE_MS = 2_000;

const FARM = { hosts: 200, running: 2_000, failing: 10, samples: 200 };

const rounds = wholeNumber("rounds", values.rounds);
const executionsPerRound = wholeNumber("executions", values.executions);
const samples = wholeNumber("samples", values.samples);
const endedExecutions = wholeNumber("ended", values.ended);
const concurrencies = values.concurrency.split(",").map((text) => wholeNumber("concurrency", text));

const figures = await measure();
if ((await hashOfBinary()) !== figures.machine.binary) {
  throw new Error("Cannot tell what was measured: dist/fastlane was built anew meanwhile");
}
const json = resolve(values.json);
await mkdir(dirname(json), { recursive: true });
await writeFile(json, `${JSON.stringify({ ...figures, rows: rowsOf(figures) }, null, 2)}\n`);
process.stdout.write(`${tableOf(figures)}\n\nAs JSON: ${json}\n`);
process.exit(0);

async function measure(): Promise<Figures> {
  await using engine = await startEngine();
  await using folder = await temporaryFolder();
  const { docker } = engine;
  const machine = await describeMachine(docker);
  const poolOf = (host: string) => ({ match: "", hosts: [host], maxRunning: 20 });
  const taskOf = (concurrency: number) => `at-once-${concurrency}`;

  // Of each part of the run a service of its own; the data stays, so the later starts are measured.
  const first = await (async () => {
    await using service = await startService(folder.path, [
      ...concurrencies.map((concurrency) => ({
        match: `^${taskOf(concurrency)}$`,
        hosts: [engine.host],
        maxRunning: concurrency,
      })),
      poolOf(engine.host),
    ]);
    await Bun.sleep(IDLE_MS);
    const idle = await service.memoryMb();
    const throughput: Throughput[] = [];
    for (const concurrency of concurrencies) {
      tell(`executions a second, ${concurrency} at once`);
      throughput.push(
        await measureThroughput({
          docker,
          url: service.url,
          task: taskOf(concurrency),
          concurrency,
          executionsPerRound,
          rounds,
        }),
      );
    }
    const memoryMb = { idle, afterThroughput: await service.memoryMb() };
    return { throughput, memoryMb, healthyAfterMs: service.healthyAfterMs };
  })();

  const second = await (async () => {
    await using service = await startService(folder.path, [poolOf(engine.host)]);
    tell("exit to done");
    const endLatency = await measureEndLatency(docker, service.url, samples);
    return { endLatency, healthyAfterMs: service.healthyAfterMs };
  })();

  const third = await (async () => {
    await using watch = await startEngineWatch(engine.host.replace("unix://", ""));
    await using service = await startService(folder.path, [poolOf(watch.host)]);
    tell("POST to start");
    const startLatency = await measureStartLatency(watch, service.url, samples);
    return { startLatency, healthyAfterMs: service.healthyAfterMs };
  })();

  tell("logs");
  const pools = [poolOf(engine.host)];
  const logStream = await measureLogStream(engine, () => startService(folder.path, pools), {
    megabytes: 100,
    rounds: 2,
    samples: samples * 5,
    sockets: 1_000,
  });

  tell("space of logs");
  const logSpace = await measureLogSpace(engine.host, { megabytes: 20, lines: 600 });

  tell("enqueues a second");
  const enqueueRate = await measureEnqueueRate(rounds);
  tell(`dispatch with ${endedExecutions} ended executions`);
  const dispatchLatency = await measureDispatchLatency(endedExecutions, samples * 10);

  tell(`a farm of ${FARM.hosts} hosts that runs ${FARM.running} executions`);
  const farmScale = await measureFarmScale(FARM);

  return {
    machine,
    enqueueRate,
    dispatchLatency,
    farmScale,
    logStream,
    logSpace,
    throughput: first.throughput,
    startLatency: third.startLatency,
    endLatency: second.endLatency,
    healthyAfterMs: {
      firstStart: first.healthyAfterMs,
      laterStarts: [second.healthyAfterMs, third.healthyAfterMs],
    },
    memoryMb: first.memoryMb,
  };
}

async function temporaryFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(`${tmpdir()}/fastlane-bench-`);
  // Postgres runs as another account than root and has to reach its own folder below.
  await chmod(path, 0o711);
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

function wholeNumber(name: string, text: string): number {
  if (!/^[1-9]\d*$/.test(text)) {
    throw new Error(`Cannot use --${name} "${text}": it must be a whole number above 0`);
  }
  return Number(text);
}

function tell(what: string): void {
  process.stderr.write(`measuring: ${what}\n`);
}
