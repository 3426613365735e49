import { afterAll, beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import type { LogFrame } from "../../src/core/log-frames.ts";
import { LOG_STREAMS, type LogStream } from "../../src/core/log-streams.ts";
import { gapText } from "../../src/http/log-messages.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import { type Chunk, chunksOf, frame, storedLog } from "../support/stored-log.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ roles: { api: true, worker: false } });
});
afterAll(() => app[Symbol.asyncDispose]());

const FRAME = fc
  .record({
    stream: fc.constantFrom("stdout" as const, "stderr" as const, "pull" as const),
    data: fc.uint8Array({ minLength: 1, maxLength: 40 }),
  })
  .map(({ stream, data }) => frame(stream, data));

/** A log, and which of its chunks are left out. */
const LOG = fc.record({
  frames: fc.array(FRAME, { minLength: 1, maxLength: 60 }),
  inChunksOf: fc.integer({ min: 1, max: 9 }),
  leftOut: fc.uniqueArray(fc.integer({ min: 0, max: 30 }), { maxLength: 6 }),
});

/** The bytes of streams as they are to be, a character for each: a hole is told in its place, also where it is at the beginning. */
function textOf(chunks: readonly Chunk[], streams: readonly LogStream[]): string {
  let next = 1;
  const parts = chunks.flatMap(({ seq, frames }) => {
    const gap = seq > next ? [Buffer.from(gapText(seq - next))] : [];
    next = seq + frames.length;
    const isOf = ({ stream }: LogFrame) => streams.includes(stream);
    return [...gap, ...frames.filter(isOf).map(({ data }) => data)];
  });
  return Buffer.concat(parts).toString("latin1");
}

const bytesAt = async (url: string, headers: Record<string, string> = {}) =>
  Buffer.from(await (await fetch(url, { headers })).bytes()).toString("latin1");

test("what is left out of a log is told in its place in each text, and ranges count it", async () => {
  const property = fc.asyncProperty(LOG, fc.infiniteStream(fc.nat()), async (log, random) => {
    const all = chunksOf(log.frames, log.inChunksOf);
    const chunks = all.filter((_, i) => !log.leftOut.includes(i));
    const job = await storedLog(app, chunks);
    const [stdout, stderr, pull] = LOG_STREAMS.map((stream) => textOf(chunks, [stream]));
    const texts = {
      "stdout/": stdout,
      "stderr/": stderr,
      "logs/": `${stdout}\n-=-\n${stderr}`,
      "logs/?stream=pull": pull,
      "logs/?follow=true": textOf(chunks, ["stdout", "stderr"]),
    };

    for (const [path, text = ""] of Object.entries(texts)) {
      const url = job.executionUrl + path;
      expect([path, await bytesAt(url)]).toEqual([path, text]);
      if (path.includes("follow") || text.length === 0) continue;
      const start = (random.next().value ?? 0) % text.length;
      const end = start + 1 + ((random.next().value ?? 0) % (text.length - start));
      const range = { range: `bytes=${start}-${end - 1}` };
      expect([path, range, await bytesAt(url, range)]).toEqual([
        path,
        range,
        text.slice(start, end),
      ]);
    }
  });

  await fc.assert(property, { numRuns: 60 });
});

test("what is left out of a log is a line of its own in ndjson", async () => {
  const lines = ["one\n", "two\n", "three\n", "four\n", "five\n"].map((text) =>
    frame("stdout", text),
  );
  const job = await storedLog(
    app,
    chunksOf(lines, 1).filter(({ seq }) => seq !== 2 && seq !== 3),
  );

  const ndjson = await (await fetch(`${job.executionUrl}logs/?format=ndjson`)).text();

  const frames = ndjson.trimEnd().split("\n");
  expect(frames.map((line) => JSON.parse(line))).toMatchObject([
    { seq: 1, data: "one\n" },
    { seq: 3, gap: { frames: 2 } },
    { seq: 4, data: "four\n" },
    { seq: 5, data: "five\n" },
  ]);
});

test("a range may begin at each byte of what is left out, and right behind it", async () => {
  const frames = (["stderr", "stdout", "stdout", "stdout", "stderr"] as const).map((stream, i) =>
    frame(stream, `${i}\n`),
  );
  const chunks = chunksOf(frames, 1).filter(({ seq }) => seq !== 2 && seq !== 4);
  const { executionUrl } = await storedLog(app, chunks);
  const text = textOf(chunks, ["stderr"]);

  const starts = [...Array(text.length).keys()];
  const ranges = await Promise.all(
    starts.map((start) => bytesAt(`${executionUrl}stderr/`, { range: `bytes=${start}-` })),
  );

  expect(ranges).toEqual(starts.map((start) => text.slice(start)));
});
