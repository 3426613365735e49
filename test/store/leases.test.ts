import { expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import {
  holdLease,
  LeaseLost,
  registerHosts,
  releaseLease,
  renewLeases,
} from "../../src/store/hosts.ts";
import { acquireLease } from "../support/leases.ts";
import { testStore } from "../support/store.ts";

const [A, B] = [crypto.randomUUID(), crypto.randomUUID()];

async function givenHost() {
  const store = await testStore();
  await registerHosts(store.db, ["one"]);
  const pass = (seconds: number) =>
    store.db.execute(sql`
      UPDATE fastlane.hosts
      SET lease_expires_at = lease_expires_at - make_interval(secs => ${seconds})`);
  const acquire = async (node: string) => {
    const lease = await acquireLease(store.db, "one", node);
    if (lease === null) throw new Error("another node has it");
    return lease;
  };
  return Object.assign(store, { pass, acquire });
}

test("of 8 nodes that want a host at once one gets it", async () => {
  await using given = await givenHost();

  const leases = await Promise.all(
    Array.from({ length: 8 }, () => acquireLease(given.db, "one", crypto.randomUUID())),
  );

  expect(leases.filter((lease) => lease !== null)).toHaveLength(1);
});

test("a lease lasts for 10 s by the database's clock, and the fence grows with each owner", async () => {
  await using given = await givenHost();
  const first = await given.acquire(A);

  await given.pass(9);
  expect(await acquireLease(given.db, "one", B)).toBeNull();
  await given.pass(1.5);
  const second = await given.acquire(B);

  expect(second.fence).toBe(first.fence + 1);
});

test("a lease that is renewed lasts on; one that was taken over is not renewed", async () => {
  await using given = await givenHost();
  const first = await given.acquire(A);
  await given.pass(9);

  expect([...(await renewLeases(given.db, [first])).keys()]).toEqual(["one"]);
  await given.pass(5);
  expect(await acquireLease(given.db, "one", B)).toBeNull();
  await given.pass(6);
  const second = await given.acquire(B);

  expect([...(await renewLeases(given.db, [first])).keys()]).toEqual([]);
  expect([...(await renewLeases(given.db, [second])).keys()]).toEqual(["one"]);
});

test("a node whose answer was lost gets its host at once, under a new fence", async () => {
  await using given = await givenHost();
  const unheard = await given.acquire(A);

  const heard = await given.acquire(A);

  expect(heard.fence).toBe(unheard.fence + 1);
  expect([...(await renewLeases(given.db, [unheard, heard])).keys()]).toEqual(["one"]);
  const stale = given.db.transaction((tx) => holdLease(tx, unheard));
  await expect(stale).rejects.toBeInstanceOf(LeaseLost);
});

test("a lease that is given back is free at once, and only its owner can give it back", async () => {
  await using given = await givenHost();
  const lease = await given.acquire(A);

  await releaseLease(given.db, { ...lease, nodeId: B });
  await releaseLease(given.db, { ...lease, fence: lease.fence - 1 });
  expect(await acquireLease(given.db, "one", B)).toBeNull();
  await releaseLease(given.db, lease);

  expect(await acquireLease(given.db, "one", B)).not.toBeNull();
});

test("a host cannot be taken over until a write under its lease is committed", async () => {
  await using given = await givenHost();
  const lease = await given.acquire(A);
  await given.pass(60);
  const order: string[] = [];
  let takeover: Promise<unknown> = Promise.resolve();

  await given.db.transaction(async (tx) => {
    await holdLease(tx, lease);
    takeover = acquireLease(given.db, "one", B).then(() => order.push("taken over"));
    await given.sql`SELECT pg_sleep(0.3)`;
    order.push("written");
  });
  await takeover;

  expect(order).toEqual(["written", "taken over"]);
});
