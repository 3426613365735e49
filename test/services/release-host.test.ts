import { expect, test } from "bun:test";
import { eq, sql } from "drizzle-orm";
import { dispatchPool, lockDispatch } from "../../src/services/dispatch-pool.ts";
import { releaseEmptyHost } from "../../src/services/release-host.ts";
import type { Db } from "../../src/store/connect.ts";
import { executions, hosts } from "../../src/store/schema.ts";
import { eventually } from "../support/client.ts";
import { testStore } from "../support/store.ts";
import { ownedHost, pool, waiting } from "./rows.ts";

const RULE = pool(["one"]);

async function ownerOf(db: Db): Promise<string | null> {
  const [row] = await db.select({ node: hosts.leaseNode }).from(hosts).where(eq(hosts.name, "one"));
  return row?.node ?? null;
}

test("an empty host is given back, and gets nothing from then on", async () => {
  await using store = await testStore();
  const lease = await ownedHost(store.db, "one");

  const isReleased = await releaseEmptyHost(store.db, lease, [RULE.match]);
  await waiting(store.db, RULE, [{}]);

  expect([isReleased, await ownerOf(store.db)]).toEqual([true, null]);
  expect((await dispatchPool(store.db, RULE)).placed).toBe(0);
});

test("a host to which something is being given is kept", async () => {
  await using store = await testStore();
  const { db } = store;
  const lease = await ownedHost(db, "one");
  await waiting(db, RULE, [{}]);
  const [locked, placing] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const dispatch = db.transaction(async (tx) => {
    await lockDispatch(tx, RULE.match);
    locked.resolve();
    await placing.promise;
    await tx.update(executions).set({ status: "pulling", host: "one", placements: 1 });
  });
  await locked.promise;

  const released = releaseEmptyHost(db, lease, ["^other-", RULE.match]);
  await eventually(
    async () => {
      const [row] = await db.execute<{ waits: boolean }>(sql`
        SELECT EXISTS (
          SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = database
          WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted
        ) AS waits`);
      return row?.waits || undefined;
    },
    () => "it does not wait for the dispatch",
  );
  placing.resolve();
  await dispatch;

  expect([await released, await ownerOf(db)]).toEqual([false, lease.nodeId]);
});

test("the lease of another node is left to it", async () => {
  await using store = await testStore();
  const lease = await ownedHost(store.db, "one");

  const isReleased = await releaseEmptyHost(store.db, { ...lease, fence: lease.fence - 1 }, []);

  expect([isReleased, await ownerOf(store.db)]).toEqual([true, lease.nodeId]);
});
