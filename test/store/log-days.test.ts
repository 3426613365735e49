import { expect, test } from "bun:test";
import { claimStart } from "../../src/services/claim-execution.ts";
import { dispatchPool } from "../../src/services/dispatch-pool.ts";
import { finishExecution } from "../../src/services/finish-execution.ts";
import { insertLogSegments, lastStoredFrame, storedLogEnd } from "../../src/store/log-chunks.ts";
import { addLogDays } from "../../src/store/log-days.ts";
import { placeOfTail, readTail } from "../../src/store/read-log.ts";
import { readText } from "../../src/store/read-text.ts";
import { DONE, ownedHost, pool, waiting } from "../services/rows.ts";
import { segmentOf, textOfStream } from "../support/logs.ts";
import { testStore } from "../support/store.ts";

type Given = Awaited<ReturnType<typeof testStore>>;

/** The partitions there are, by the ends of their names. */
async function partitions({ sql }: Given): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    SELECT inhrelid::regclass::text AS name FROM pg_inherits
    WHERE inhparent = 'fastlane.log_chunks'::regclass ORDER BY name`;
  return rows.map(({ name }) => name.replace("fastlane.log_chunks_", ""));
}

/** Today and the next days in UTC, as the database has them. */
async function daysFromToday({ sql }: Given, count: number): Promise<string[]> {
  const rows = await sql<{ day: string }[]>`
    SELECT to_char((now() AT TIME ZONE 'UTC')::date + ahead, 'YYYYMMDD') AS day
    FROM generate_series(0, ${count - 1}::int) AS ahead ORDER BY day`;
  return rows.map(({ day }) => day);
}

async function dropPartitions(given: Given): Promise<void> {
  for (const name of await partitions(given)) {
    await given.sql`DROP TABLE ${given.sql(`fastlane.log_chunks_${name}`)}`;
  }
}

test("of nodes that start at once each finds the partitions of today and 7 days made", async () => {
  await using store = await testStore();
  await dropPartitions(store);

  await Promise.all(Array.from({ length: 6 }, () => addLogDays(store.db)));

  expect(await partitions(store)).toEqual(await daysFromToday(store, 8));
});

test("an execution that was made while no node looked to it has a partition before its log is written", async () => {
  await using store = await testStore();
  const [executionId = ""] = await waiting(store.db, pool(["one"]), [{}]);
  await store.sql`UPDATE fastlane.log_days SET day = day - 20`;
  await dropPartitions(store);
  await store.sql`UPDATE fastlane.executions SET log_day = log_day - 3`;

  await addLogDays(store.db);
  await store.db.transaction((tx) => insertLogSegments(tx, [segmentOf(executionId, 1, "line\n")]));

  expect(await textOfStream(readText(store.db, executionId, ["stdout"]))).toBe("line\n");
  expect(await partitions(store)).toHaveLength(9);
});

test("partitions are made while a log is read and another one written, and wait for neither", async () => {
  await using store = await testStore();
  const [executionId = ""] = await waiting(store.db, pool(["one"]), [{}]);
  const [, , last = ""] = (await partitions(store)).slice(-3);
  await store.sql`DROP TABLE ${store.sql(`fastlane.log_chunks_${last}`)}`;

  await store.db.transaction(async (tx) => {
    await insertLogSegments(tx, [segmentOf(executionId, 1, "line\n")]);
    await addLogDays(store.db);
  });

  expect(await partitions(store)).toContain(last);
});

test("a log is written, read and ended in the partition of its day, whatever becomes of the others", async () => {
  await using store = await testStore();
  const lease = await ownedHost(store.db, "one");
  const [executionId = ""] = await waiting(store.db, pool(["one"]), [{}]);
  await dispatchPool(store.db, pool(["one"]));
  const [today = "", ...others] = await partitions(store);
  expect([today]).toEqual(await daysFromToday(store, 1));
  const held = Promise.withResolvers<void>();
  const isHeld = Promise.withResolvers<void>();
  const holding = store.db.transaction(async (tx) => {
    for (const name of others) {
      await tx.execute(`LOCK TABLE fastlane.log_chunks_${name} IN ACCESS EXCLUSIVE MODE`);
    }
    isHeld.resolve();
    await held.promise;
  });
  await isHeld.promise;

  await claimStart(store.db, lease, executionId);
  await store.db.transaction((tx) =>
    insertLogSegments(tx, [segmentOf(executionId, 1, "one\n"), segmentOf(executionId, 2, "two\n")]),
  );
  const text = await textOfStream(readText(store.db, executionId, ["stdout"]));
  const tail = await readTail(store.db, executionId, "stdout", 4);
  const place = await placeOfTail(store.db, executionId, ["stdout"], 1);
  const end = await storedLogEnd(store.db, executionId, 0);
  const last = await lastStoredFrame(store.db, executionId);
  const rest = [segmentOf(executionId, 3, "three\n")];
  await finishExecution(store.db, lease, { executionId, end: DONE, restOfLog: rest });
  held.resolve();
  await holding;

  expect(text).toBe("one\ntwo\n");
  expect({ tail: Buffer.from(tail.data).toString(), place }).toEqual({
    tail: "two\n",
    place: { after: 0, skipBytes: 4 },
  });
  expect({ frames: end.frames.length, last }).toEqual({ frames: 2, last: 2 });
});
