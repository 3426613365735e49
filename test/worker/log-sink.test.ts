import { expect, test } from "bun:test";
import type { LogFrame } from "../../src/core/log-frames.ts";
import type { SizedSegment } from "../../src/store/log-chunks.ts";
import { createLogSink } from "../../src/worker/log-sink.ts";

const EXECUTION = "36e1b166-7c7a-4a41-a69e-8f78a9ec8128";
const MOST_FRAMES = 8_192;

const emptyLines = (count: number): LogFrame[] =>
  Array.from({ length: count }, () => ({
    stream: "stdout",
    at: { seconds: 1_700_000_000, nanos: 0 },
    data: Uint8Array.of(0x0a),
  }));

test("however short the lines are, a chunk has no more of them than a reader can take", async () => {
  const stored: SizedSegment[] = [];
  const failures: unknown[] = [];
  const sink = createLogSink({
    store: async (segments) => void stored.push(...segments),
    onFailure: (error) => void failures.push(error),
  });

  await sink.append(EXECUTION, 1, emptyLines(20_000));
  await sink.append(EXECUTION, 20_001, emptyLines(3));
  await sink.flush(EXECUTION);

  expect(failures).toEqual([]);
  expect(Math.max(...stored.map(({ frames }) => frames.length))).toBe(MOST_FRAMES);
  const ends = stored.map(({ seq, frames }) => seq + frames.length);
  expect(stored.map(({ seq }) => seq)).toEqual([1, ...ends.slice(0, -1)]);
  expect(ends.at(-1)).toBe(20_004);
});
