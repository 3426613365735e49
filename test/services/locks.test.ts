import { expect, test } from "bun:test";
import { dispatchPool } from "../../src/services/dispatch-pool.ts";
import { enqueueJobs } from "../../src/services/enqueue-jobs.ts";
import { stopExecutions } from "../../src/services/stop-execution.ts";
import { openStore } from "../../src/store/connect.ts";
import { testStore } from "../support/store.ts";
import { ownedHost, planOf, pool, waiting } from "./rows.ts";

const rule = pool(["one"], 200);

test("many are stopped while they are given out, again and again, and nobody waits in a circle", async () => {
  await using store = await testStore();
  await ownedHost(store.db, "one");
  const other = openStore({ address: store.address, max: 2 });
  const broken: unknown[] = [];

  for (let round = 0; round < 8; round++) {
    const priorities = Array.from({ length: 60 }, (_, n) => ({ priority: (n * 37) % 100 }));
    const ids = await waiting(store.db, rule, priorities);
    const shuffled = ids.toSorted(() => Math.random() - 0.5);
    await Promise.all([
      dispatchPool(other.db, rule).catch((error: unknown) => broken.push(error)),
      store.db
        .transaction((tx) => stopExecutions(tx, shuffled))
        .catch((error: unknown) => broken.push(error)),
    ]);
  }

  await other.close();
  expect(broken).toEqual([]);
});

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
