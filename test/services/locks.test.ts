import { expect, test } from "bun:test";
import { enqueueJobs } from "../../src/services/enqueue-jobs.ts";
import { testStore } from "../support/store.ts";
import { planOf, pool } from "./rows.ts";

const rule = pool(["one"]);

test("a long transaction of a task holds up no other job of it", async () => {
  await using store = await testStore();
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  await store.db.transaction((tx) => enqueueJobs(tx, [planOf(rule)]));
  await store.sql`UPDATE fastlane.tasks SET last_modified_at = now() - interval '1 hour'`;
  const begun = Promise.withResolvers<void>();
  const long = store.db.transaction(async (tx) => {
    await enqueueJobs(tx, [planOf(rule)]);
    begun.resolve();
    await held;
  });
  await begun.promise;

  await store.db.transaction((tx) => enqueueJobs(tx, [planOf(rule)]));

  const [row] = await store.sql`SELECT count(*)::int AS count FROM fastlane.jobs`;
  release();
  await long;
  expect(row?.["count"]).toBe(2);
});
