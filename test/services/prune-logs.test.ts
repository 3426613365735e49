import { expect, test } from "bun:test";
import { pruneLogs } from "../../src/services/prune-logs.ts";
import { insertLogSegments } from "../../src/store/log-chunks.ts";
import { keptLogsOf } from "../../src/store/log-sizes.ts";
import { segmentOf } from "../support/logs.ts";
import { type AgedStore, agedStore, nameOf, RETENTION } from "./aged.ts";
import { pool, waiting } from "./rows.ts";

async function prune({ db }: AgedStore) {
  const { bytes: _, ...days } = await pruneLogs(db, RETENTION, async () => {});
  return days;
}

const NOTHING = { dropped: [], thinned: [], busy: [] };

test("logs of a day go when their time is over, and those of what failed read the same as before", async () => {
  await using given = await agedStore();
  const day = await given.dayAgo(31);
  const gone = [
    await given.ended("done", 31, ["done\n"]),
    await given.ended("stopped", 31, ["stopped\n"]),
  ];
  const failed = await given.ended("failed", 31, ["failed\n", "and why\n"]);
  const timedOut = await given.ended("timedout", 31, ["slow\n"]);
  const young = await given.ended("done", 29, ["young\n"]);

  expect(await prune(given)).toEqual({ ...NOTHING, thinned: [day] });

  for (const id of gone) expect(await given.textOf(id)).toBe("");
  expect(await given.textOf(failed)).toBe("failed\nand why\n");
  expect(await given.textOf(timedOut)).toBe("slow\n");
  expect(await given.textOf(young)).toBe("young\n");
  expect(await given.tables()).toEqual([nameOf(day), nameOf(await given.dayAgo(29))]);
  expect(await keptLogsOf(given.db, day)).toBe("failed");
  expect(await prune(given)).toEqual(NOTHING);
});

test("a day goes as a whole when nothing failed, and when the time of what failed is over, too", async () => {
  await using given = await agedStore();
  const well = await given.dayAgo(31);
  await given.ended("done", 31, ["done\n"]);
  const ill = await given.dayAgo(95);
  const failed = await given.ended("failed", 95, ["failed\n"], 60);

  expect(await prune(given)).toEqual({ ...NOTHING, dropped: [well], thinned: [ill] });
  expect(await given.textOf(failed)).toBe("failed\n");
  await given.end(failed, "failed", 90);
  expect(await prune(given)).toEqual({ ...NOTHING, dropped: [ill] });

  expect(await given.textOf(failed)).toBe("");
  expect(await given.tables()).toEqual([]);
  expect([await keptLogsOf(given.db, well), await keptLogsOf(given.db, ill)]).toEqual([
    "none",
    "none",
  ]);
});

test.each<[string, (given: AgedStore) => Promise<unknown>]>([
  ["has not ended", (given) => given.made(40, ["runs\n"])],
  ["ended a while ago", (given) => given.ended("done", 40, ["late\n"], 29)],
])("a day is kept whole while an execution of it %s", async (_, another) => {
  await using given = await agedStore();
  const id = await given.ended("done", 40, ["done\n"]);
  await another(given);

  expect(await prune(given)).toEqual(NOTHING);

  expect(await given.textOf(id)).toBe("done\n");
});

test("what is kept is copied whole, however many and large its chunks are", async () => {
  await using given = await agedStore();
  const many = Array.from({ length: 4_500 }, (_, i) => `line ${i}\n`);
  const large = Array.from({ length: 80 }, (_, i) => `${i} ${"x".repeat(250_000)}\n`);
  const failed = [
    [await given.ended("failed", 40, many), many.join("")],
    [await given.ended("failed", 40, large), large.join("")],
  ] as const;
  await given.ended("done", 40, many);

  expect(await prune(given)).toMatchObject({ thinned: [await given.dayAgo(40)] });

  for (const [id, text] of failed) expect((await given.textOf(id)) === text).toBe(true);
  const [{ count } = {}] = await given.sql`SELECT count(*)::int FROM fastlane.log_chunks`;
  expect(count).toBe(many.length + large.length);
});

test("while a log is read for long its day stays, nobody else waits, and it goes the next time", async () => {
  await using given = await agedStore();
  const day = await given.dayAgo(40);
  const failed = await given.ended("failed", 40, ["failed\n"]);
  await given.ended("done", 40, ["done\n"]);
  const release = Promise.withResolvers<void>();
  const reading = given.db.transaction(async (tx) => {
    await tx.execute("SELECT count(*) FROM fastlane.log_chunks");
    await release.promise;
  });

  const pruning = prune(given);
  expect(await given.textOf(failed)).toBe("failed\n");
  expect(await pruning).toEqual({ ...NOTHING, busy: [day] });
  expect(await given.tables()).toEqual([nameOf(day)]);
  release.resolve();
  await reading;

  expect(await prune(given)).toEqual({ ...NOTHING, thinned: [day] });
  expect(await given.textOf(failed)).toBe("failed\n");
});

test("writers and readers at work lose nothing while days go", async () => {
  await using given = await agedStore();
  const days = [31, 32, 33, 34, 35, 36];
  const failed = await Promise.all(
    days.map(async (ago) => {
      await given.ended("done", ago, ["done\n"]);
      return await given.ended("failed", ago, [`failed ${ago}\n`]);
    }),
  );
  const [id = ""] = await waiting(given.db, pool(["one"]), [{}]);
  let isOver = false;
  let written = 0;
  const writing = (async () => {
    while (!isOver) {
      written += 1;
      await given.db.transaction((tx) => insertLogSegments(tx, [segmentOf(id, written, "x\n")]));
    }
  })();
  const texts = new Set<string>();
  const reading = (async () => {
    while (!isOver) for (const one of failed) texts.add(await given.textOf(one));
  })();

  const pruned = await prune(given);
  isOver = true;
  await Promise.all([writing, reading]);

  expect(pruned.thinned).toHaveLength(days.length);
  expect([...texts].sort()).toEqual(days.map((ago) => `failed ${ago}\n`));
  expect(await given.textOf(id)).toBe("x\n".repeat(written));
});

test("a copy that a node was killed over is removed by whoever comes next", async () => {
  await using given = await agedStore();
  await given.sql`CREATE TABLE fastlane.log_chunks_20200101_kept_0a1b2c3d ()`;

  await prune(given);

  expect(await given.tables()).toEqual([]);
});
