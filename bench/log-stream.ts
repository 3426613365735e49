/*
 * Logs as they are streamed: bytes a second of a chatty container into the store, a line's way to a
 * WebSocket, and what many sockets on one chatty execution cost. By itself, on an engine of its own
 * for which it needs root:
 * `node_modules/.bin/bun bench/log-stream.ts --megabytes 100 --samples 200 --sockets 1000`.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import type Docker from "dockerode";
import { instantToDate } from "../src/core/log-frames.ts";
import { framesAt } from "../src/farm/read-log.ts";
import { openStalledSocket } from "../test/support/bare-socket.ts";
import { type Enqueued, enqueue, untilEnded } from "../test/support/client.ts";
import { startEngine } from "../test/support/engine.ts";
import { framesOf, socketUrl } from "../test/support/log-socket.ts";
import { createBare } from "./bare.ts";
import { type Service, startService } from "./service.ts";
import { type Spread, spreadOf } from "./statistics.ts";

export interface LogStream {
  /** Megabytes of 10^6 bytes a second, from the start of the container on; of each round. */
  storedMbPerSecond: number[];
  /** The same of `docker logs --follow` to /dev/null. */
  bareMbPerSecond: number[];
  /** Milliseconds from Docker's own time of a line to a client that has it: by a socket, by Docker. */
  toSocket: Spread;
  toBare: Spread;
  sockets: number;
  /** Resident memory of a node in MB at the most, with readers and with readers that stall. */
  readingMb: number;
  stalledMb: number;
  /** Of the readers, who got every byte. */
  whole: number;
}

export interface LogStreamOptions {
  megabytes: number;
  rounds: number;
  samples: number;
  sockets: number;
}

const LINE = "x".repeat(99);
const LINES_A_SECOND = 1_000;
const CHATTY_SECONDS = 12;
const CHATTY_BYTES = CHATTY_SECONDS * LINES_A_SECOND * (LINE.length + 1);
const LOOK_EVERY_MS = 100;

/** @param start Starts a service; each part has one of its own, whose memory is its own. */
export async function measureLogStream(
  { docker, host }: { docker: Docker; host: string },
  start: () => Promise<Service>,
  { megabytes, rounds, samples, sockets }: LogStreamOptions,
): Promise<LogStream> {
  const storedMbPerSecond: number[] = [];
  const bareMbPerSecond: number[] = [];
  const latencies = await (async () => {
    await using service = await start();
    const toSocket = await socketLatency(service.url, samples);
    const toBare = await bareLatency(docker, samples);
    for (let round = 0; round < rounds; round++) {
      storedMbPerSecond.push(await storedRate(service.url, megabytes));
      bareMbPerSecond.push(await bareRate(docker, host, megabytes));
    }
    return { toSocket, toBare };
  })();
  const reading = await mostMemory(start, (job) => readAll(job, sockets));
  const stalled = await mostMemory(start, (job) => stall(job, sockets));
  return {
    storedMbPerSecond,
    bareMbPerSecond,
    ...latencies,
    sockets,
    readingMb: reading.mb,
    stalledMb: stalled.mb,
    whole: reading.given.filter((length) => length === CHATTY_BYTES).length,
  };
}

const printing = (megabytes: number) => [
  "sh",
  "-c",
  `yes ${LINE} | head -c ${megabytes * 1_000_000}`,
];

async function storedRate(url: string, megabytes: number): Promise<number> {
  const job = await enqueue(url, "chatty", { command: printing(megabytes) });
  const { startedAt, status } = await untilEnded(job, 600_000);
  const seconds = (Date.now() - Date.parse(startedAt ?? "")) / 1_000;
  const text = await fetch(`${job.executionUrl}stdout/`);
  let bytes = 0;
  for await (const part of text.body ?? []) bytes += part.length;
  if (status !== "done" || bytes !== megabytes * 1e6) {
    throw new Error(`A chatty execution ended as ${status}, with ${bytes} bytes in its log`);
  }
  return megabytes / seconds;
}

async function bareRate(docker: Docker, host: string, megabytes: number): Promise<number> {
  const container = await createBare(docker, printing(megabytes));
  const begunAt = performance.now();
  await container.start();
  const logs = spawn("docker", ["-H", host, "logs", "--follow", container.id], { stdio: "ignore" });
  await once(logs, "exit");
  const seconds = (performance.now() - begunAt) / 1_000;
  await container.remove({ v: true });
  return megabytes / seconds;
}

/** Prints lines one by one, apart by more than what is gathered for one write. */
const linesOf = (samples: number) => [
  "sh",
  "-c",
  `i=0; while [ $i -lt ${samples} ]; do echo line $i; i=$((i+1)); sleep 0.06; done`,
];

async function socketLatency(url: string, samples: number): Promise<Spread> {
  const job = await enqueue(url, "lines", { command: linesOf(samples) });
  const socket = new WebSocket(socketUrl(job.executionUrl, "?format=json"));
  const took: number[] = [];
  socket.onmessage = ({ data }) => {
    for (const { at } of framesOf([String(data)])) took.push(Date.now() - Date.parse(at));
  };
  await new Promise((resolve) => {
    socket.onclose = resolve;
  });
  return spreadOf(took);
}

async function bareLatency(docker: Docker, samples: number): Promise<Spread> {
  const container = await createBare(docker, linesOf(samples));
  await container.start();
  const took: number[] = [];
  const request = { follow: true, since: null, signal: new AbortController().signal };
  for await (const frames of framesAt(docker, "bench", `/containers/${container.id}`, request)) {
    for (const { at } of frames) took.push(Date.now() - instantToDate(at).getTime());
  }
  await container.remove({ v: true });
  return spreadOf(took);
}

/** @returns How many bytes each of the readers got. */
async function readAll({ executionUrl }: Enqueued, sockets: number): Promise<number[]> {
  const readers = Array.from({ length: sockets }, () => {
    const socket = new WebSocket(socketUrl(executionUrl));
    let length = 0;
    socket.onmessage = ({ data }) => {
      length += String(data).length;
    };
    return new Promise<number>((resolve) => {
      socket.onclose = () => resolve(length);
    });
  });
  return await Promise.all(readers);
}

/** Opens sockets that read nothing until the execution has ended. */
async function stall(job: Enqueued, sockets: number): Promise<void> {
  const url = socketUrl(job.executionUrl);
  const held = await Promise.all(Array.from({ length: sockets }, () => openStalledSocket(url)));
  await untilEnded(job);
  for (const each of held) each[Symbol.dispose]();
}

/** Of a node while readers are at a chatty execution. */
async function mostMemory<T>(
  start: () => Promise<Service>,
  read: (job: Enqueued) => Promise<T>,
): Promise<{ mb: number; given: T }> {
  await using service = await start();
  const tenth = `yes ${LINE} | head -n ${LINES_A_SECOND / 10}; sleep 0.1`;
  const script = `sleep 3; i=0; while [ $i -lt ${CHATTY_SECONDS * 10} ]; do ${tenth}; i=$((i+1)); done`;
  const job = await enqueue(service.url, "chatty", { command: ["sh", "-c", script] });
  let mb = 0;
  let isOver = false;
  const looking = (async () => {
    while (!isOver) {
      mb = Math.max(mb, await service.memoryMb());
      await delay(LOOK_EVERY_MS);
    }
  })();
  const given = await read(job);
  isOver = true;
  await looking;
  return { mb, given };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      megabytes: { type: "string", default: "100" },
      rounds: { type: "string", default: "2" },
      samples: { type: "string", default: "200" },
      sockets: { type: "string", default: "1000" },
    },
  });
  await using engine = await startEngine();
  const folder = await mkdtemp(`${tmpdir()}/fastlane-bench-`);
  await Bun.$`chmod 711 ${folder}`;
  const pools = [{ match: "", hosts: [engine.host], maxRunning: 20 }];
  const figures = await measureLogStream(engine, () => startService(folder, pools), {
    megabytes: Number(values.megabytes),
    rounds: Number(values.rounds),
    samples: Number(values.samples),
    sockets: Number(values.sockets),
  });
  process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
  await rm(folder, { recursive: true, force: true });
  process.exit(0);
}
