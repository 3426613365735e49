import { expect, test } from "bun:test";
import { stateView } from "../../src/http/views.ts";
import type { Db } from "../../src/store/connect.ts";
import { createExecutionWatch } from "../../src/stream/execution-watch.ts";
import { createHints } from "../../src/stream/hints.ts";
import { pool, waiting } from "../services/rows.ts";
import { testStore } from "../support/store.ts";

const READERS = 1_000;

/** An execution that waits, on a store of which the statements are counted. */
async function watched() {
  const store = await testStore();
  const [executionId = ""] = await waiting(store.db, pool(["one"]), [{}]);
  let statements = 0;
  const db = new Proxy(store.db, {
    get(target, key) {
      if (key === "select" || key === "execute") statements += 1;
      return Reflect.get(target, key);
    },
  }) as Db;
  const watch = createExecutionWatch({ db, hints: createHints() });
  return Object.assign(store, { db, watch, executionId, statements: () => statements });
}

test("a thousand readers who show a state share each look at it", async () => {
  await using store = await watched();
  const { db, watch, executionId } = store;

  const shown = await Promise.all(
    Array.from({ length: READERS }, async () => {
      const row = await watch.next(executionId);
      return row === null ? null : await stateView(db, row);
    }),
  );

  expect(shown[0]).toMatchObject({ executionId, status: "enqueued" });
  expect(new Set(shown).size).toBe(1);
  // The row, and how much is kept of the logs of its day.
  expect(store.statements()).toBe(2);
});

test("a thousand readers who wait for a job's first execution share each look for it", async () => {
  await using store = await watched();
  const [{ jobId } = { jobId: "" }] = await store.sql<{ jobId: string }[]>`
    SELECT job_id AS "jobId" FROM fastlane.executions`;
  const looks = (id: string) =>
    Promise.all(Array.from({ length: READERS }, () => store.watch.nextOfJob(id)));

  const ofNone = await looks(crypto.randomUUID());
  const ofJob = await looks(jobId);

  expect(new Set(ofNone)).toEqual(new Set([null]));
  expect(new Set(ofJob.map((row) => row?.id))).toEqual(new Set([store.executionId]));
  expect(store.statements()).toBe(2);
});
