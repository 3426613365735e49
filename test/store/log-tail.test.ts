import { expect, test } from "bun:test";
import { packFrames } from "../../src/core/log-frames.ts";
import { insertLogSegments } from "../../src/store/log-chunks.ts";
import { LOG_BEGIN, placeOfTail, readTail } from "../../src/store/read-log.ts";
import { readText } from "../../src/store/read-text.ts";
import { pool, waiting } from "../services/rows.ts";
import { textOfStream } from "../support/logs.ts";
import { testStore } from "../support/store.ts";

const LINES = 700;

/** A log whose every line came by itself, so that each has a chunk; each third line is on stderr. */
async function logOfSingleLines() {
  const store = await testStore();
  const [executionId = ""] = await waiting(store.db, pool(["one"]), [{}]);
  const lines = Array.from({ length: LINES }, (_, i) => ({
    stream: i % 3 === 2 ? ("stderr" as const) : ("stdout" as const),
    text: `line ${i}\n`,
  }));
  const segments = lines.map(({ stream, text }, i) => ({
    executionId,
    seq: i + 1,
    frames: [{ stream, at: { seconds: i, nanos: 0 }, data: new TextEncoder().encode(text) }],
  }));
  await store.db.transaction((tx) => insertLogSegments(tx, segments));
  const stdout = lines.filter(({ stream }) => stream === "stdout").map(({ text }) => text);
  return Object.assign(store, { executionId, stdout });
}

test.each([1, 10, 3_000, 64 * 1024])(
  "the last %p bytes of a log of single lines are its last",
  async (maxBytes) => {
    await using given = await logOfSingleLines();
    const whole = given.stdout.join("");

    const tail = await readTail(given.db, given.executionId, "stdout", maxBytes);

    expect(Buffer.from(tail.data).toString()).toBe(whole.slice(-maxBytes));
    expect(tail.truncated).toBe(whole.length > maxBytes);
  },
);

test.each([1, 2, 300, 466])(
  "the last %p lines of a log of single lines are its last",
  async (lines) => {
    await using given = await logOfSingleLines();

    const place = await placeOfTail(given.db, given.executionId, ["stdout"], lines);
    const text = await textOfStream(readText(given.db, given.executionId, ["stdout"], place));

    expect(text).toBe(given.stdout.slice(-lines).join(""));
  },
);

test("a log with fewer lines than were asked for is read from its beginning", async () => {
  await using given = await logOfSingleLines();

  expect(await placeOfTail(given.db, given.executionId, ["stdout"], 10_000)).toEqual(LOG_BEGIN);
});

test("a stream reads as it was written where it has as many bytes as its compressed chunk", async () => {
  await using store = await testStore();
  const [executionId = ""] = await waiting(store.db, pool(["one"]), [{}]);
  const at = { seconds: 0, nanos: 0 };
  const framesWith = (length: number) => [
    { stream: "stdout" as const, at, data: new Uint8Array(1_000).fill(0x78) },
    { stream: "stderr" as const, at, data: new Uint8Array(length).fill(0x79) },
  ];
  const lengths = Array.from({ length: 100 }, (_, i) => i + 1);
  const length = lengths.find((each) => packFrames(framesWith(each)).data.length === each) ?? 0;
  expect(length).toBeGreaterThan(0);
  await store.db.transaction((tx) =>
    insertLogSegments(tx, [{ executionId, seq: 1, frames: framesWith(length) }]),
  );

  const text = await textOfStream(readText(store.db, executionId, ["stderr"]));

  expect(text).toBe("y".repeat(length));
});
