import { expect, test } from "bun:test";
import { cutLog } from "../../src/services/cut-log.ts";
import { dispatchPool } from "../../src/services/dispatch-pool.ts";
import { finishExecution } from "../../src/services/finish-execution.ts";
import { findExecutionById } from "../../src/store/executions.ts";
import { LeaseLost } from "../../src/store/hosts.ts";
import { insertLogSegments, storedLogEnd } from "../../src/store/log-chunks.ts";
import { logSizeOf, logStateOf } from "../../src/store/log-sizes.ts";
import { readText } from "../../src/store/read-text.ts";
import { logChunks } from "../../src/store/schema.ts";
import { segmentOf, textOfStream } from "../support/logs.ts";
import { testStore } from "../support/store.ts";
import { DONE, ownedHost, pool, waiting } from "./rows.ts";

const MIB = 1024 * 1024;
/** Of a chunk: a quarter of the smallest limit. */
const PART = MIB / 4;
const part = (letter: string) => `${letter.repeat(PART - 1)}\n`;
const parts = (letters: string) => [...letters].map(part).join("");

/** An execution on a host whose log has a chunk of each letter: of stdout, where it is small of stderr. */
async function givenLog(letters: string) {
  const store = await testStore();
  const lease = await ownedHost(store.db, "one");
  const [id = ""] = await waiting(store.db, pool(["one"]), [{}]);
  await dispatchPool(store.db, pool(["one"]));
  let seq = 0;
  const write = (more: string) =>
    store.db.transaction((tx) =>
      insertLogSegments(
        tx,
        [...more].map((letter) => {
          seq += 1;
          const stream = /[a-z]/.test(letter) ? "stderr" : "stdout";
          return segmentOf(id, seq, part(letter), letter === "0" ? "pull" : stream);
        }),
      ),
    );
  await write(letters);
  const row = async () => (await findExecutionById(store.db, id)) ?? expect.unreachable();
  const text = (stream: "stdout" | "stderr" | "pull") =>
    textOfStream(readText(store.db, id, [stream]));
  const cut = () => cutLog(store.db, lease, id, MIB);
  return Object.assign(store, { lease, id, write, row, text, cut });
}

test.each(["", "A", "ABCDEFGH"])(
  "a log of chunks %p is not cut: it is within the limit",
  async (letters) => {
    await using given = await givenLog(letters);

    const room = await given.cut();

    expect(room).toBe(2 * MIB - letters.length * PART);
    expect(await given.text("stdout")).toBe(parts(letters));
    expect(await given.row()).toMatchObject({ logCutAfter: null, logCutBytes: null });
  },
);

test("a log above the limit and an eighth keeps its first and its last half", async () => {
  await using given = await givenLog("ABCDEFGHI");

  const room = await given.cut();

  expect(await given.text("stdout")).toBe(parts("ABHI"));
  expect(room).toBe(MIB);
  expect(await given.row()).toMatchObject({
    logCutAfter: 2,
    logCutTo: 7,
    logCutBytes: 5 * PART,
    logCutLines: 5,
  });
});

test("what is written behind a cut makes the gap longer, and everything is counted once", async () => {
  await using given = await givenLog("ABCDEFGHI");
  await given.cut();
  await given.write("JKLMN");

  await given.cut();
  await given.cut();
  await finishExecution(given.db, given.lease, { executionId: given.id, end: DONE, restOfLog: [] });

  expect(await given.text("stdout")).toBe(parts("ABMN"));
  const row = await given.row();
  expect(row).toMatchObject({ logCutAfter: 2, logCutTo: 12, logCutBytes: 10 * PART });
  expect(await logSizeOf(given.db, row)).toEqual({ bytes: 14 * PART, lines: 14 });
  expect(logStateOf(row)).toBe("truncated");
});

test("an owner that goes on behind a cut counts the frames that are gone", async () => {
  await using given = await givenLog("ABCDEFGHI");
  await given.cut();

  const end = await storedLogEnd(given.db, given.id, 0);

  expect(end.framesBefore).toBe(7);
  expect(end.frames.map(({ data }) => data[0])).toEqual([..."HI"].map((l) => l.charCodeAt(0)));
});

test("the last word on one stream outlives a flood on the other, until there is a later one", async () => {
  await using given = await givenLog("ABcDEFGHIJ");

  await given.cut();
  expect([await given.text("stdout"), await given.text("stderr")]).toEqual([
    parts("ABIJ"),
    part("c"),
  ]);

  await given.write("dKLMNO");
  await given.cut();
  expect([await given.text("stdout"), await given.text("stderr")]).toEqual([
    parts("ABNO"),
    part("d"),
  ]);
  const row = await given.row();
  expect(await logSizeOf(given.db, row)).toEqual({ bytes: 16 * PART, lines: 16 });
});

test("a log of single lines is cut at once, however many they are", async () => {
  await using given = await givenLog("");
  await given.sql`
    INSERT INTO fastlane.log_chunks (execution_id, seq, frames, stdout_bytes, stderr_bytes,
      pull_bytes, last_at, index, data, day, lines)
    SELECT id, seq, 1, 64, 0, 0, now(), '', '', log_day, 1
    FROM fastlane.executions, generate_series(1, 120000) AS seq`;

  const room = await given.cut();

  const kept = MIB / 64;
  expect(room).toBe(MIB);
  expect(await given.db.$count(logChunks)).toBe(kept);
  expect(await given.row()).toMatchObject({
    logCutAfter: kept / 2,
    logCutTo: 120_000 - kept / 2,
    logCutBytes: (120_000 - kept) * 64,
    logCutLines: 120_000 - kept,
  });
});

test("the pull's lines neither count nor go", async () => {
  await using given = await givenLog("00000000AB0CDEFGHI");

  await given.cut();

  expect([await given.text("stdout"), await given.text("pull")]).toEqual([
    parts("ABHI"),
    part("0").repeat(9),
  ]);
});

test("an owner that was taken over from cuts nothing, and neither does one whose execution has ended", async () => {
  await using given = await givenLog("ABCDEFGHI");

  const stale = { ...given.lease, fence: given.lease.fence - 1 };
  await expect(cutLog(given.db, stale, given.id, MIB)).rejects.toBeInstanceOf(LeaseLost);
  await finishExecution(given.db, given.lease, { executionId: given.id, end: DONE, restOfLog: [] });
  await given.cut();

  expect(await given.text("stdout")).toBe(parts("ABCDEFGHI"));
});
