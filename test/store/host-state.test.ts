import { expect, test } from "bun:test";
import { beginProbe, recordFailure, recordSuccess } from "../../src/store/host-state.ts";
import { acquireLeases, registerHosts, releaseLease } from "../../src/store/hosts.ts";
import { acquireLease } from "../support/leases.ts";
import { testStore } from "../support/store.ts";

const RULES = { maxFails: 3, resetTimeoutSeconds: 60 };
const NODE = crypto.randomUUID();

async function givenHost() {
  const store = await testStore();
  await registerHosts(store.db, ["one"]);
  const lease = await acquireLease(store.db, "one", NODE);
  if (lease === null) throw new Error("another node has it");
  const due = () => store.sql`UPDATE fastlane.hosts SET next_probe_at = now() - interval '1 s'`;
  const fail = () => recordFailure(store.db, lease, "no space left", RULES);
  return Object.assign(store, { lease, due, fail });
}

test("failures in a row open the circuit, and one success begins the row anew", async () => {
  await using given = await givenHost();

  expect(await given.fail()).toMatchObject({ circuit: "closed", failures: 1, probeInMs: null });
  await recordSuccess(given.db, given.lease);
  await given.fail();
  expect(await given.fail()).toMatchObject({ circuit: "closed", failures: 2 });
  const open = await given.fail();

  expect(open).toMatchObject({ circuit: "open", failures: 3 });
  expect(open?.probeInMs).toBeGreaterThan(50_000);
});

test("a failure while it is open leaves the time of the probe, and one when that is due puts it off", async () => {
  await using given = await givenHost();
  for (let i = 0; i < 3; i++) await given.fail();
  await given.sql`UPDATE fastlane.hosts SET next_probe_at = now() + interval '5 s'`;

  const early = await given.fail();
  await given.due();
  const late = await given.fail();

  expect(early?.probeInMs).toBeLessThan(10_000);
  expect(late?.probeInMs).toBeGreaterThan(50_000);
});

test("a probe shows as half-open, opens the circuit again when it fails, and closes it else", async () => {
  await using given = await givenHost();
  for (let i = 0; i < 3; i++) await given.fail();
  await given.due();

  expect(await beginProbe(given.db, given.lease)).toMatchObject({ circuit: "half-open" });
  expect(await given.fail()).toMatchObject({ circuit: "open", failures: 4 });
  await beginProbe(given.db, given.lease);
  const closed = await recordSuccess(given.db, given.lease);

  expect(closed).toMatchObject({ circuit: "closed", failures: 0, probeInMs: null });
});

test("a former owner's failures count for nothing", async () => {
  await using given = await givenHost();

  const stale = { ...given.lease, fence: given.lease.fence - 1 };
  expect(await recordFailure(given.db, stale, "x", RULES)).toBeNull();

  expect(await given.fail()).toMatchObject({ failures: 1 });
});

test("of what is free a node takes its share, and the rest when nobody else has wanted it", async () => {
  await using store = await testStore();
  const hosts = ["a", "b", "c", "d"];
  await registerHosts(store.db, hosts);
  const wish = { nodeId: NODE, hosts, limit: 2, patienceSeconds: 5 };

  const share = await acquireLeases(store.db, wish);
  const rest = { ...wish, hosts: ["c", "d"], limit: 0 };
  const nothing = await acquireLeases(store.db, rest);
  await store.sql`UPDATE fastlane.hosts SET released_at = now() - interval '6 s' WHERE name = 'd'`;
  const leftAlone = await acquireLeases(store.db, rest);

  expect(share.map(({ host }) => host).sort()).toEqual(["a", "b"]);
  expect(nothing).toEqual([]);
  expect(leftAlone.map(({ host }) => host)).toEqual(["d"]);
});

test("a host that is given back is left to the others for a while", async () => {
  await using given = await givenHost();
  await given.sql`UPDATE fastlane.hosts SET released_at = now() - interval '1 day'`;

  await releaseLease(given.db, given.lease);

  const wish = { nodeId: NODE, hosts: ["one"], limit: 0, patienceSeconds: 5 };
  expect(await acquireLeases(given.db, wish)).toEqual([]);
});
