import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { openStore } from "../../src/store/connect.ts";
import { insertLogSegments } from "../../src/store/log-chunks.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import { type Enqueued, eventually } from "../support/client.ts";
import { type LogServer, startLogServer } from "../support/log-server.ts";
import { chunksOf, frame, storedLog } from "../support/stored-log.ts";

const MIB = 1024 * 1024;
const CHUNKS = 32;
const FOLLOWERS = 200;

let app: TestApp;
let server: LogServer;
let large: Enqueued;
const whole = createHash("sha256");

beforeAll(async () => {
  app = await startTestApp({ roles: { api: true, worker: false } });
  server = await startLogServer(app.database);
  large = await storedLog(app, largeChunks());
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});

/** Random bytes, which no compression makes smaller, in frames of 16 KiB. */
function* largeChunks() {
  for (let i = 0; i < CHUNKS; i++) {
    const data = new Uint8Array(MIB);
    for (let at = 0; at < MIB; at += 65_536) crypto.getRandomValues(data.subarray(at, at + 65_536));
    whole.update(data);
    const frames = Array.from({ length: 64 }, (_, at) =>
      frame("stdout", data.subarray(at * 16_384, (at + 1) * 16_384)),
    );
    yield { seq: i * 64 + 1, frames };
  }
}

const pathOf = (job: Enqueued, path: string) => new URL(job.executionUrl + path);

async function get(url: URL, headers: readonly string[] = []): Promise<Socket> {
  const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
  await once(socket, "connect");
  const lines = [`GET ${url.pathname}${url.search} HTTP/1.0`, "Host: 127.0.0.1", ...headers];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  return socket;
}

/** Resolves when a count has been the same for a while: what does not happen cannot be awaited. */
async function untilStill(count: () => number): Promise<number> {
  let [last, same] = [count(), 0];
  return await eventually(
    () => {
      same = count() === last ? same + 1 : 0;
      last = count();
      return same === 25 ? last : undefined;
    },
    () => "it goes on and on",
  );
}

test.each([
  ["stdout/", []],
  ["stdout/", ["Accept-Encoding: gzip"]],
  ["stdout/", ["Range: bytes=1-"]],
  ["stdout/?since=0", []],
  ["stdout/?follow=true", []],
  ["stdout/?follow=true", ["Accept-Encoding: gzip"]],
  ["logs/?format=ndjson", []],
  ["logs/?format=ndjson", ["Accept-Encoding: gzip"]],
])("%s %j: for a client that takes nothing the store is not read on", async (path, headers) => {
  const before = server.reads();
  const socket = await get(pathOf(large, path), headers);
  await once(socket, "readable");

  const stalled = (await untilStill(server.reads)) - before;
  const parts: Buffer[] = [];
  for await (const part of socket) parts.push(part);

  expect(stalled).toBeLessThan(CHUNKS / 2);
  expect(server.reads() - before).toBeGreaterThan(CHUNKS);
  const bytes = Buffer.concat(parts);
  const [head, body] = [bytes.indexOf("\r\n\r\n"), bytes.subarray(bytes.indexOf("\r\n\r\n") + 4)];
  const isPacked = /content-encoding: gzip/i.test(bytes.subarray(0, head).toString());
  expect(isPacked).toBe(headers[0]?.endsWith("gzip") === true && !path.includes("follow"));
  if (path.includes("ndjson") || headers[0]?.startsWith("Range")) return;
  const text = isPacked ? Bun.gunzipSync(new Uint8Array(body)) : body;
  expect(text.length).toBe(CHUNKS * MIB);
  expect(createHash("sha256").update(text).digest("hex")).toBe(whole.copy().digest("hex"));
});

test("a text breaks off, and does not seem whole, when the rest of the log is dropped meanwhile", async () => {
  const frames = Array.from({ length: CHUNKS * 64 }, () => frame("stdout", new Uint8Array(16_384)));
  const job = await storedLog(app, chunksOf(frames, 64));
  const socket = await get(pathOf(job, "stdout/"));
  await once(socket, "readable");
  await untilStill(server.reads);

  const store = openStore({ address: app.database.address, max: 1 });
  await store.sql`DELETE FROM fastlane.log_chunks WHERE execution_id = ${job.executionId}`;
  await store.close();
  const rest = Array.fromAsync(socket);

  await expect(rest).rejects.toMatchObject({ code: "ECONNRESET" });
});

/** A log that has not ended, with one line. */
const openLog = () => storedLog(app, chunksOf([frame("stdout", "one\n")], 1), { hasEnded: false });

async function write({ executionId }: Enqueued, seq: number, text: string): Promise<void> {
  const store = openStore({ address: app.database.address, max: 1 });
  await store.db.transaction((tx) =>
    insertLogSegments(tx, [{ executionId, seq, frames: [frame("stdout", text)] }]),
  );
  await store.close();
  server.hints.hear({ about: "log", executions: [executionId] });
}

test(`${FOLLOWERS} followers at the end of a log share each read of the store`, async () => {
  const job = await openLog();
  const url = pathOf(job, "stdout/?follow=true");
  const texts: string[] = [];
  const sockets = await Promise.all(
    Array.from({ length: FOLLOWERS }, async (_, index) => {
      const socket = await get(url);
      texts[index] = "";
      socket.on("data", (part) => {
        texts[index] += String(part);
      });
      return socket;
    }),
  );
  const untilAll = (line: string) =>
    eventually(
      () => texts.every((text) => text.includes(line)) || undefined,
      () => `not all have "${line}"`,
    );
  await untilAll("one\n");
  const before = server.reads();

  for (let seq = 2; seq <= 11; seq++) await write(job, seq, `line ${seq}\n`);
  await untilAll("line 11\n");

  // Each of ten writes is looked for; a few looks find nothing yet.
  expect(server.reads() - before).toBeLessThan(60);
  for (const socket of sockets) socket.destroy();
});

test("a follower that went away asks for no more", async () => {
  const job = await openLog();
  const socket = await get(pathOf(job, "stdout/?follow=true"));
  await once(socket, "readable");
  const asked = await untilStill(server.asks);

  await write(job, 2, "two\n");
  const askedWhileThere = await untilStill(server.asks);
  socket.destroy();
  await once(socket, "close");
  await eventually(
    async () => {
      const before = server.asks();
      server.hints.wakeAll();
      return (await untilStill(server.asks)) === before || undefined;
    },
    () => "it goes on asking",
  );

  expect(askedWhileThere).toBeGreaterThan(asked);
});

test("a stop of the server ends what is followed", async () => {
  await using own = await startLogServer(app.database);
  const job = await openLog();
  const path = pathOf(job, "logs/").pathname;
  const queries = ["?follow=true", "?follow=true&format=ndjson"];
  const answers = await Promise.all(queries.map((query) => fetch(own.url + path + query)));

  own.stopping.abort();
  const [text, lines] = await Promise.all(answers.map((answer) => answer.text()));

  expect(text).toBe("one\n");
  expect(JSON.parse(lines ?? "")).toMatchObject({ seq: 1, data: "one\n" });
});
