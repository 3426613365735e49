import { expect, test } from "bun:test";
import { eq, ne } from "drizzle-orm";
import { dispatchPool } from "../../src/services/dispatch-pool.ts";
import { openStore } from "../../src/store/connect.ts";
import { recordImages } from "../../src/store/host-images.ts";
import { executions } from "../../src/store/schema.ts";
import { testStore } from "../support/store.ts";
import { expire, ownedHost, pool, waiting } from "./rows.ts";

test("8 dispatchers at once never give out more than maxRunning of 200 that wait", async () => {
  await using store = await testStore();
  await ownedHost(store.db, "one");
  await ownedHost(store.db, "two");
  const rule = pool(["one", "two"], 7);
  await waiting(store.db, rule, Array(200).fill({}));
  const others = Array.from({ length: 8 }, () => openStore({ address: store.address, max: 2 }));

  const placed = await Promise.all(others.map(({ db }) => dispatchPool(db, rule)));

  await Promise.all(others.map((other) => other.close()));
  expect(placed.reduce((sum, each) => sum + each.placed, 0)).toBe(7);
  const given = await store.db.$count(executions, eq(executions.status, "pulling"));
  expect(given).toBe(7);
});

test("the highest priority is served first, and among equals the oldest", async () => {
  await using store = await testStore();
  await ownedHost(store.db, "one");
  const priorities = [0, 5, -3, 5, 0];
  const ids = await waiting(
    store.db,
    pool(["one"]),
    priorities.map((priority) => ({ priority })),
  );
  const order: number[] = [];

  for (let running = 1; running <= ids.length; running++) {
    await dispatchPool(store.db, pool(["one"], running));
    const given = await store.db
      .select({ id: executions.id })
      .from(executions)
      .where(ne(executions.status, "enqueued"));
    order.push(...given.map(({ id }) => ids.indexOf(id)).filter((at) => !order.includes(at)));
  }

  expect(order).toEqual([1, 3, 0, 4, 2]);
});

test.each([
  ["nobody owns it", async (_store: Awaited<ReturnType<typeof testStore>>) => {}],
  [
    "its owner has been silent for longer than its lease",
    async (store: Awaited<ReturnType<typeof testStore>>) => {
      await ownedHost(store.db, "one");
      await expire(store.db, "one");
    },
  ],
])("nothing is given to a host while %s", async (_, prepare) => {
  await using store = await testStore();
  await prepare(store);
  await waiting(store.db, pool(["one"]), [{}, {}]);

  const { placed } = await dispatchPool(store.db, pool(["one"]));

  expect(placed).toBe(0);
  expect(await store.db.$count(executions, eq(executions.status, "enqueued"))).toBe(2);
});

test("the host that runs the fewest is served first", async () => {
  await using store = await testStore();
  await ownedHost(store.db, "busy");
  await waiting(store.db, pool(["busy"]), [{}, {}, {}]);
  await dispatchPool(store.db, pool(["busy"]));
  await ownedHost(store.db, "idle");
  await waiting(store.db, pool(["busy", "idle"]), Array(5).fill({}));

  await dispatchPool(store.db, pool(["busy", "idle"]));

  expect(await store.db.$count(executions, eq(executions.host, "busy"))).toBe(4);
  expect(await store.db.$count(executions, eq(executions.host, "idle"))).toBe(4);
});

test.each([
  ["blacklisted", "blacklisted_at = now()"],
  ["tripped", "circuit = 'open', next_probe_at = now() - interval '1 hour'"],
  ["being probed", "circuit = 'half-open', next_probe_at = now()"],
  ["out of reach", "reachable = false"],
])("a host that is %s gets nothing, and another one all of it", async (_, state) => {
  await using store = await testStore();
  await ownedHost(store.db, "off");
  await ownedHost(store.db, "on");
  await store.sql.unsafe(`UPDATE fastlane.hosts SET ${state} WHERE name = 'off'`);
  await waiting(store.db, pool(["off", "on"]), [{}, {}, {}]);

  await dispatchPool(store.db, pool(["off"]));
  expect(await store.db.$count(executions, eq(executions.status, "pulling"))).toBe(0);
  await dispatchPool(store.db, pool(["off", "on"]));

  expect(await store.db.$count(executions, eq(executions.host, "on"))).toBe(3);
});

test("what need not be pulled goes to a host that has its image; what is pulled anyway, anywhere", async () => {
  await using store = await testStore();
  await ownedHost(store.db, "a");
  const lease = await ownedHost(store.db, "b");
  await recordImages(store.db, lease, ["busybox:latest", "tool:2"]);
  const image = "docker.io/library/busybox";
  const ids = await waiting(store.db, pool(["a", "b"]), [
    { image, pullPolicy: "missing" },
    { image, pullPolicy: "always" },
    { image, pullPolicy: "never" },
    { image: "other", pullPolicy: "missing" },
  ]);

  await dispatchPool(store.db, pool(["a", "b"]));

  const rows = await store.db.select({ id: executions.id, host: executions.host }).from(executions);
  const hostOf = new Map(rows.map(({ id, host }) => [id, host]));
  expect(ids.map((id) => hostOf.get(id))).toEqual(["b", "a", "b", "a"]);
});

test("images that are gone from a host count no more", async () => {
  await using store = await testStore();
  const lease = await ownedHost(store.db, "b");
  await recordImages(store.db, lease, ["tool:1", "tool:2"]);

  await recordImages(store.db, lease, ["tool:2", "tool:3"]);

  const rows = await store.sql`SELECT image FROM fastlane.host_images ORDER BY image`;
  expect(rows.map(({ image }) => image)).toEqual(["tool:2", "tool:3"]);
});
