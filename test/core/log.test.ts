import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { LogCursor } from "../../src/core/log-cursor.ts";
import {
  type LogFrame,
  nanosBetween,
  packFrames,
  unpackFrames,
} from "../../src/core/log-frames.ts";

const stream = fc.constantFrom("stdout" as const, "stderr" as const, "pull" as const);

test("frames come out of a packed chunk as they went in", () => {
  const at = fc.record({
    seconds: fc.integer({ min: 0, max: 4_000_000_000 }),
    nanos: fc.integer({ min: 0, max: 999_999_999 }),
  });
  const alike = fc.integer({ max: 2_000, min: 0 }).map((length) => new Uint8Array(length).fill(7));
  const data = fc.oneof(fc.uint8Array({ maxLength: 400 }), alike);
  const frame = fc.record({ stream, at, data });

  fc.assert(
    fc.property(fc.array(frame, { minLength: 1, maxLength: 40 }), (frames) => {
      const packed = packFrames(frames);

      expect(unpackFrames(packed)).toEqual(frames);
      expect(packed.count).toBe(frames.length);
      const { stdoutBytes, stderrBytes, pullBytes } = packed;
      const bytes = frames.reduce((sum, each) => sum + each.data.length, 0);
      expect(stdoutBytes + stderrBytes + pullBytes).toBe(bytes);
    }),
  );
});

test("a text is stored as a fraction of its bytes, and random bytes as they are", () => {
  const at = { seconds: 1_700_000_000, nanos: 999_999_999 };
  const lines = Array.from({ length: 1_000 }, (_, i) => `request ${i} was answered with 200\n`);
  const ofText: LogFrame[] = lines.map((line) => ({
    stream: "pull",
    at,
    data: new TextEncoder().encode(line),
  }));
  const noise = crypto.getRandomValues(new Uint8Array(16_384));

  const text = packFrames(ofText);
  const random = packFrames([{ stream: "stderr", at, data: noise }]);

  expect(text.data.length + text.index.length).toBeLessThan(text.pullBytes / 3);
  expect(unpackFrames(text)).toEqual(ofText);
  expect(random.data).toEqual(noise);
  expect(unpackFrames(random)).toEqual([{ stream: "stderr", at, data: noise }]);
});

test("a chunk without a pull's frames is packed as it was before there were pulls", () => {
  const at = { seconds: 1_700_000_000, nanos: 999_999_999 };
  const data = new TextEncoder().encode("abcde");
  // The header; 3 bytes to stdout, no time later; 2 bytes to stderr, 1 s later.
  const index = Uint8Array.from([
    65, 217, 84, 252, 64, 0, 0, 0, 59, 154, 201, 255, 6, 0, 0, 5, 2, 0,
  ]);
  const frames: LogFrame[] = [
    { stream: "stdout", at, data: data.subarray(0, 3) },
    { stream: "stderr", at: { ...at, seconds: at.seconds + 1 }, data: data.subarray(3) },
  ];

  expect(packFrames(frames).index).toEqual(index);
  expect(unpackFrames({ index, data })).toEqual(frames);
});

/** Times in ns of a log whose two writers may each be up to 0.5 s late. */
const logTimes = fc
  .array(
    fc.record({
      pause: fc.oneof(
        fc.constant(0),
        fc.integer({ min: 0, max: 1_000 }),
        fc.integer({ min: 0, max: 900_000_000 }),
        fc.integer({ min: 0, max: 8_000_000_000 }),
      ),
      late: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 500_000_000 })),
    }),
    { maxLength: 80 },
  )
  .map((steps) => {
    let now = 10_000_000_000;
    return steps.map(({ pause, late }) => {
      now += pause;
      return now - late;
    });
  });

interface Interruption {
  /** How much more is read before it, as a share of what is left. */
  share: number;
  /** The reader is another one, which has the store alone. */
  rebuilds: boolean;
  /** How the frames of the store's chunks are parted. */
  chunk: number;
}

const interruptions = fc.array(
  fc.record<Interruption>({
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    rebuilds: fc.boolean(),
    chunk: fc.integer({ min: 1, max: 9 }),
  }),
  { maxLength: 6 },
);

const ENGINES: [string, (log: LogFrame[], since: LogFrame["at"]) => LogFrame[]][] = [
  ["drops every older frame", (log, since) => log.filter(({ at }) => nanosBetween(since, at) >= 0)],
  [
    "gives all from the first frame that is not older",
    (log, since) => {
      const first = log.findIndex(({ at }) => nanosBetween(since, at) >= 0);
      return first === -1 ? [] : log.slice(first);
    },
  ],
];

test.each(ENGINES)("a reader of an engine that %s has each frame once, in order", (_, ask) => {
  fc.assert(
    fc.property(logTimes, interruptions, (times, breaks) => {
      const log = times.map((nanos, number) => frameAt(nanos, number));
      const stored: LogFrame[] = [];
      let cursor = new LogCursor();
      const readSome = (share: number) => {
        const { since, skip } = cursor.position();
        const fresh = (since === null ? log : ask(log, since)).slice(skip);
        for (const frame of fresh.slice(0, Math.ceil(fresh.length * share))) {
          cursor.push(frame.at);
          stored.push(frame);
        }
      };

      for (const { share, rebuilds, chunk } of breaks) {
        readSome(share);
        if (rebuilds) cursor = rebuiltCursor(stored, chunk);
      }
      readSome(1);

      expect(stored.map(numberOf)).toEqual(log.map(numberOf));
    }),
    { numRuns: 2_000 },
  );
});

/** As a new owner makes it: from the stored chunks of the last 5 s and the one before them. */
function rebuiltCursor(stored: LogFrame[], chunkSize: number): LogCursor {
  const chunks: LogFrame[][] = [];
  for (let i = 0; i < stored.length; i += chunkSize) chunks.push(stored.slice(i, i + chunkSize));
  const newestOf = (chunk: LogFrame[]) =>
    Math.max(...chunk.map(({ at }) => at.seconds * 1_000 + Math.floor(at.nanos / 1e6)));
  const windowStart = newestOf(chunks.at(-1) ?? []) - 5_000;
  const first = Math.max(
    0,
    chunks.findLastIndex((chunk) => newestOf(chunk) < windowStart),
  );
  const cursor = new LogCursor(first * chunkSize);
  for (const { at } of chunks.slice(first).flat()) cursor.push(at);
  return cursor;
}

function frameAt(nanos: number, number: number): LogFrame {
  const at = { seconds: Math.floor(nanos / 1e9), nanos: nanos % 1e9 };
  return { stream: number % 2 === 0 ? "stdout" : "stderr", at, data: Uint8Array.of(number) };
}

function numberOf({ data }: LogFrame): number {
  return data[0] ?? -1;
}
