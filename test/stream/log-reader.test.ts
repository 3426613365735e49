import { expect, test } from "bun:test";
import type { Db } from "../../src/store/connect.ts";
import { insertLogSegments } from "../../src/store/log-chunks.ts";
import { createHints } from "../../src/stream/hints.ts";
import { createLogReader, type LogBlock } from "../../src/stream/log-reader.ts";
import { pool, waiting } from "../services/rows.ts";
import { testStore } from "../support/store.ts";

const READERS = 1_000;
const FRAMES_OF_A_WRITE = 50;

/** An execution whose log grows by the test's word, and a reader of it that counts its reads. */
async function growingLog() {
  const store = await testStore();
  const [executionId = ""] = await waiting(store.db, pool(["one"]), [{}]);
  const hints = createHints();
  let reads = 0;
  const counting = new Proxy(store.db, {
    get(db, key) {
      if (key === "execute") reads += 1;
      return Reflect.get(db, key);
    },
  });
  let written = 0;
  return Object.assign(store, {
    executionId,
    reader: createLogReader({ db: counting as Db, hints }),
    reads: () => reads,
    /** Frames of one chunk. */
    async writeBytes(...data: Uint8Array[]) {
      const at = { seconds: 1_700_000_000, nanos: 0 };
      const frames = data.map((bytes) => ({ stream: "stdout" as const, at, data: bytes }));
      const segment = { executionId, seq: written + 1, frames };
      await store.db.transaction((tx) => insertLogSegments(tx, [segment]));
      written += frames.length;
      hints.hear({ about: "log", executions: [executionId] });
    },
    async write(count: number) {
      const lines = Array.from({ length: count }, (_, i) => `line ${written + i + 1}\n`);
      await this.writeBytes(...lines.map((line) => new TextEncoder().encode(line)));
    },
    async end() {
      await store.sql`UPDATE fastlane.executions SET status = 'stopped', failure_cause = 'stopped',
        finished_at = now() WHERE id = ${executionId}`;
      hints.hear({ about: "ended", executions: [executionId] });
    },
  });
}

/** The next block that has something, or is the last. */
async function blockBehind(
  log: Awaited<ReturnType<typeof growingLog>>,
  after: number,
): Promise<LogBlock> {
  for (;;) {
    const block = await log.reader.next(log.executionId, after);
    if (block !== null) return block;
  }
}

test("a thousand readers of a log that grows share each read of the store", async () => {
  await using log = await growingLog();
  const texts = Array.from({ length: READERS }, () => "");
  const readers = texts.map(async (_, index) => {
    for (let after = 0; ; ) {
      const block = await blockBehind(log, after);
      texts[index] += block.texts.map(({ data }) => data).join("");
      if (block.isLast) return;
      after = block.to;
    }
  });

  for (let writes = 0; writes < 20; writes++) await log.write(FRAMES_OF_A_WRITE);
  await log.end();
  await Promise.all(readers);

  const whole = Array.from({ length: 20 * FRAMES_OF_A_WRITE }, (_, i) => `line ${i + 1}\n`).join(
    "",
  );
  expect(new Set(texts)).toEqual(new Set([whole]));
  // Each of 20 writes is looked for, and the end; a few looks at the frames before a place.
  expect(log.reads()).toBeLessThan(100);
});

test("a place in the middle of a chunk is gone on from, behind its frame", async () => {
  await using log = await growingLog();
  await log.write(FRAMES_OF_A_WRITE);

  const block = await blockBehind(log, 30);

  expect(block.frames.map(({ seq }) => seq)).toEqual(
    Array.from({ length: FRAMES_OF_A_WRITE - 30 }, (_, i) => 31 + i),
  );
  expect(block.texts[0]?.data).toBe("line 31\n");
  expect(block.holes).toEqual([]);
});

test("frames that are no longer kept are told before those behind them", async () => {
  await using log = await growingLog();
  for (let writes = 0; writes < 3; writes++) await log.write(10);
  await log.sql`DELETE FROM fastlane.log_chunks WHERE seq = 11`;

  const fromTheBegin = await blockBehind(log, 0);
  const fromWithin = await blockBehind(log, 15);

  expect(fromTheBegin.holes).toEqual([{ before: 21, frames: 10 }]);
  expect(fromWithin.holes).toEqual([{ before: 21, frames: 5 }]);
  expect(fromTheBegin.frames.length).toBe(20);
});

test("a character that is split over two chunks is whole, also for who goes on in its middle", async () => {
  await using log = await growingLog();
  await log.writeBytes(Uint8Array.of(0x61, 0xf0, 0x9f));
  const first = await blockBehind(log, 0);
  await log.writeBytes(Uint8Array.of(0x98, 0x80, 0x62));
  const second = await blockBehind(log, first.to);

  const ofAnotherNode = createLogReader({ db: log.db, hints: createHints() });
  const resumed = await ofAnotherNode.next(log.executionId, first.to);

  expect(first.texts.map(({ data }) => data)).toEqual(["a"]);
  expect(second.texts.map(({ data }) => data)).toEqual(["\u{1f600}b"]);
  expect(resumed?.texts).toEqual([...second.texts]);
});

test("of short lines no more is kept for those behind than they take room", async () => {
  await using log = await growingLog();
  const emptyLines = Array.from({ length: 25_000 }, () => Uint8Array.of(0x0a));
  for (let writes = 0; writes < 8; writes++) await log.writeBytes(...emptyLines);
  let { to } = await blockBehind(log, 0);
  while (to < 8 * emptyLines.length) ({ to } = await blockBehind(log, to));

  const readsOfAll = log.reads();
  const first = await blockBehind(log, 0);

  expect(first.frames.length).toBeGreaterThan(0);
  expect(log.reads()).toBeGreaterThan(readsOfAll);
});

test("the last block comes when the execution has ended, and not before", async () => {
  await using log = await growingLog();
  await log.write(1);
  const first = await blockBehind(log, 0);
  const next = blockBehind(log, first.to);

  await log.end();

  expect(await next).toMatchObject({ to: 1, frames: [], isLast: true });
  expect(first.isLast).toBe(false);
});

test("behind a long chunk what is no longer kept is told, and what is behind it comes", async () => {
  await using log = await growingLog();
  await log.writeBytes(new Uint8Array(200 * 1024).fill(0x61));
  await log.write(10);
  await log.write(1);
  await log.sql`DELETE FROM fastlane.log_chunks WHERE seq = 2`;

  const { to } = await blockBehind(log, 0);
  const behind = await blockBehind(log, to);

  expect(to).toBe(1);
  expect(behind.holes).toEqual([{ before: 12, frames: 10 }]);
  expect(behind.texts.map(({ data }) => data)).toEqual(["line 12\n"]);
});
