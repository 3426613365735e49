import { expect, test } from "bun:test";
import { eq, sql } from "drizzle-orm";
import { dispatchPool } from "../../src/services/dispatch-pool.ts";
import { finishExecution } from "../../src/services/finish-execution.ts";
import { openStore } from "../../src/store/connect.ts";
import { executions } from "../../src/store/schema.ts";
import { testStore } from "../support/store.ts";
import { DONE, ownedHost, pool, waiting } from "./rows.ts";

test("8 nodes that give out and end 500 executions never pass a key's limit, nor the pool's", async () => {
  await using store = await testStore();
  const lease = await ownedHost(store.db, "one");
  const rule = pool(["one"], 12);
  const payloads = Array.from({ length: 500 }, (_, number) => {
    const key = number % 5;
    return key === 4 ? {} : { concurrencyKey: `key ${key}`, concurrencyLimit: key + 1 };
  });
  await waiting(store.db, rule, payloads);
  const nodes = Array.from({ length: 8 }, () => openStore({ address: store.address, max: 2 }));
  const passed: string[] = [];

  const work = async ({ db }: (typeof nodes)[number]) => {
    for (;;) {
      await dispatchPool(db, rule);
      const running = await runningByKey(db);
      for (const { key, limit, count } of running) {
        if (limit !== null && count > limit) passed.push(`${key}: ${count} of ${limit}`);
      }
      const total = running.reduce((sum, { count }) => sum + count, 0);
      if (total > rule.maxRunning) passed.push(`pool: ${total}`);
      const [next] = await db
        .select({ id: executions.id })
        .from(executions)
        .where(eq(executions.status, "pulling"))
        .orderBy(sql`random()`)
        .limit(1);
      if (next === undefined) return;
      await finishExecution(db, lease, { executionId: next.id, end: DONE, restOfLog: [] });
    }
  };
  await Promise.all(nodes.map(work));

  await Promise.all(nodes.map((node) => node.close()));
  expect(passed).toEqual([]);
  expect(await store.db.$count(executions, eq(executions.status, "done"))).toBe(500);
});

async function runningByKey(db: ReturnType<typeof openStore>["db"]) {
  return await db.execute<{ key: string | null; limit: number | null; count: number }>(sql`
    SELECT concurrency_key AS key, min(concurrency_limit) AS limit, count(*)::int AS count
    FROM fastlane.executions WHERE status IN ('pulling', 'running') GROUP BY 1`);
}

test("a key that is full holds up nobody behind it", async () => {
  await using store = await testStore();
  await ownedHost(store.db, "one");
  const full = Array.from({ length: 300 }, () => ({ concurrencyKey: "full", concurrencyLimit: 1 }));
  const ids = await waiting(store.db, pool(["one"]), [...full, {}, { concurrencyKey: "other" }]);

  const { placed } = await dispatchPool(store.db, pool(["one"]));

  const given = await store.db
    .select({ id: executions.id })
    .from(executions)
    .where(eq(executions.status, "pulling"));
  expect(placed).toBe(3);
  expect(given.map(({ id }) => ids.indexOf(id)).sort((a, b) => a - b)).toEqual([0, 300, 301]);
});

test("a key's slots are shared by all pools, and one that becomes free is offered to each", async () => {
  await using store = await testStore();
  const lease = await ownedHost(store.db, "one");
  const [east, west] = [pool(["one"]), { ...pool(["one"]), match: "^t$" }];
  const key = { concurrencyKey: "shared", concurrencyLimit: 1 };
  const [first = ""] = await waiting(store.db, east, [key]);
  await waiting(store.db, west, [key]);
  await dispatchPool(store.db, east);
  await store.sql`DELETE FROM graphile_worker._private_jobs`;

  const refused = await dispatchPool(store.db, west);
  await finishExecution(store.db, lease, { executionId: first, end: DONE, restOfLog: [] });

  const messages = await store.sql<{ payload: unknown }[]>`
    SELECT payload FROM graphile_worker._private_jobs`;
  expect(refused.placed).toBe(0);
  expect(messages.map(({ payload }) => payload)).toEqual([{ pool: "^t$" }]);
  expect((await dispatchPool(store.db, west)).placed).toBe(1);
});
