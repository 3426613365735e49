import type { DispatchLatency } from "./dispatch-latency.ts";
import type { EndLatency } from "./end-latency.ts";
import type { EnqueueRate } from "./enqueue-rate.ts";
import type { FarmScale } from "./farm-scale.ts";
import type { LogSpace } from "./log-space.ts";
import type { LogStream } from "./log-stream.ts";
import type { Machine } from "./machine.ts";
import type { StartLatency } from "./start-latency.ts";
import { median, type Spread } from "./statistics.ts";
import type { Throughput } from "./throughput.ts";

export interface Figures {
  machine: Machine;
  throughput: Throughput[];
  enqueueRate: EnqueueRate;
  dispatchLatency: DispatchLatency;
  startLatency: StartLatency;
  endLatency: EndLatency;
  /** Milliseconds from the start of the process to its first healthy answer. */
  healthyAfterMs: { firstStart: number; laterStarts: number[] };
  /** Of the process without Postgres, in MB of 10^6 bytes. */
  memoryMb: { idle: number; afterThroughput: number };
  logStream: LogStream;
  logSpace: LogSpace[];
  farmScale: FarmScale;
}

interface Row {
  what: string;
  measured: string;
  yardstick: string;
  target: string;
  reached: boolean;
}

export function rowsOf(figures: Figures): Row[] {
  const { throughput, startLatency, endLatency, healthyAfterMs, memoryMb } = figures;
  const later = median(healthyAfterMs.laterStarts);
  return [
    ...throughput.map(({ concurrency, service, bare, ratio }) => ({
      what: `executions a second, ${concurrency} at once`,
      measured: `${median(service).toFixed(1)}; ${ratio.toFixed(2)} x`,
      yardstick: `bare ${median(bare).toFixed(1)}`,
      target: "0.95 x",
      reached: ratio >= 0.95,
    })),
    latencyRow("POST answered to start call", startLatency.service, startLatency.bare, 15, 40),
    latencyRow("exit told to done by GET", endLatency.service, endLatency.bare, 20, 60),
    latencyRow(
      "wait answered to done",
      endLatency.serviceFromWait,
      endLatency.bareFromWait,
      20,
      60,
    ),
    rateRow(figures.enqueueRate),
    dispatchRow(figures.dispatchLatency),
    limitRow("up to healthy, first start", healthyAfterMs.firstStart, 4_000, "ms"),
    limitRow("up to healthy, later start", later, 1_000, "ms"),
    limitRow("memory idle", memoryMb.idle, 120, "MB"),
    limitRow("memory after the executions", memoryMb.afterThroughput, 300, "MB"),
    ...logRows(figures.logStream),
    ...figures.logSpace.map(spaceRow),
    ...farmRows(figures.farmScale),
  ];
}

function logRows(log: LogStream): Row[] {
  const [stored, bare] = [median(log.storedMbPerSecond), median(log.bareMbPerSecond)];
  return [
    {
      what: "MB a second into the store",
      measured: `${stored.toFixed(1)}; ${(stored / bare).toFixed(2)} x`,
      yardstick: `docker logs -f ${bare.toFixed(1)}`,
      target: "0.5 x",
      reached: stored / bare >= 0.5,
    },
    latencyRow("line to WebSocket frame", log.toSocket, log.toBare, 40, 100),
    limitRow(`memory, ${log.sockets} sockets on one execution`, log.readingMb, 300, "MB"),
    limitRow(`memory, ${log.sockets} sockets that stall`, log.stalledMb, 300, "MB"),
    {
      what: `sockets that got every byte, of ${log.sockets}`,
      measured: `${log.whole}`,
      yardstick: "",
      target: `${log.sockets}`,
      reached: log.whole === log.sockets,
    },
  ];
}

function latencyRow(what: string, service: Spread, bare: Spread, p50: number, p95: number): Row {
  return {
    what,
    measured: spread(service),
    yardstick: `bare ${spread(bare)}`,
    target: `p50 ${p50} ms, p95 ${p95} ms`,
    reached: service.p50 <= p50 && service.p95 <= p95,
  };
}

function rateRow({ connections, service, inserts, ratio }: EnqueueRate): Row {
  return {
    what: `enqueues a second, ${connections} connections`,
    measured: `${median(service).toFixed(0)}; ${ratio.toFixed(2)} x`,
    yardstick: `inserts ${median(inserts).toFixed(0)}`,
    target: "0.6 x",
    reached: ratio >= 0.6,
  };
}

function dispatchRow({ endedExecutions, full, empty }: DispatchLatency): Row {
  const ratio = full.p95 / empty.p95;
  return {
    what: `dispatch, ${endedExecutions} ended executions`,
    measured: `${spread(full)}; ${ratio.toFixed(2)} x`,
    yardstick: `empty ${spread(empty)}`,
    target: "p95 1.5 x",
    reached: ratio <= 1.5,
  };
}

function spaceRow({ what, rawBytes, storedBytes, most }: LogSpace): Row {
  const ratio = storedBytes / rawBytes;
  return {
    what: `space of ${what}`,
    measured: `${ratio.toFixed(2)} x`,
    yardstick: `raw ${(rawBytes / 1e6).toFixed(2)} MB`,
    target: `${most} x`,
    reached: ratio <= most,
  };
}

function limitRow(what: string, value: number, limit: number, unit: string): Row {
  return {
    what,
    measured: `${value.toFixed(0)} ${unit}`,
    yardstick: "",
    target: `${limit} ${unit}`,
    reached: value <= limit,
  };
}

/** Every execution of the farm counts as lost that did not end well, once, and with its whole log. */
export function farmRows(farm: FarmScale): Row[] {
  const { hosts, failing, running, half, whole, allWell, someFail } = farm;
  const ratio = someFail.p95 / allWell.p95;
  const good = Math.min(farm.done, farm.wholeLogs) - farm.startedTwice;
  return [
    ...[half, whole].map((load) =>
      limitRow(`memory, ${load.running} run on ${hosts} hosts`, load.residentMb, 300, "MB"),
    ),
    {
      what: `POST to start beside ${half.running}, ${failing} of ${hosts} hosts fail`,
      measured: `${spread(someFail)}; ${ratio.toFixed(2)} x`,
      yardstick: `all well ${spread(allWell)}`,
      target: "p95 1.5 x",
      reached: ratio <= 1.5,
    },
    {
      what: `done once with the whole log, of ${running}`,
      measured: `${good}`,
      yardstick: "",
      target: `${running}`,
      reached: good === running,
    },
  ];
}

const spread = ({ p50, p95 }: Spread) => `p50 ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms`;

/** The figures as people read them. */
export function tableOf(figures: Figures): string {
  const { machine } = figures;
  const head = ["what", "measured", "yardstick, same run", "at least", "reached"];
  const body = rowsOf(figures).map((row) => [
    row.what,
    row.measured,
    row.yardstick,
    row.target,
    row.reached ? "yes" : "no",
  ]);
  const lines = [head, ...body];
  const widths = head.map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  const padded = lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return [
    `fastlane ${machine.fastlane}, Docker ${machine.docker} (${machine.storageDriver}), Linux ${machine.kernel}`,
    `${machine.cores} cores of ${machine.processor}, ${machine.memoryGb} GB; load before ${machine.loadBefore.toFixed(1)}`,
    "",
    ...padded,
  ].join("\n");
}
