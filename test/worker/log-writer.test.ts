import { expect, test } from "bun:test";
import type { Db } from "../../src/store/connect.ts";
import { type Lease, LeaseLost } from "../../src/store/hosts.ts";
import { logChunks } from "../../src/store/schema.ts";
import { createLogWriter } from "../../src/worker/log-writer.ts";
import { expire, ownedHost, pool, waiting } from "../services/rows.ts";
import { acquireLease } from "../support/leases.ts";
import { testStore } from "../support/store.ts";

const segmentOf = (executionId: string) => ({
  executionId,
  seq: 1,
  frames: [
    {
      stream: "stdout" as const,
      at: { seconds: 1, nanos: 0 },
      data: new TextEncoder().encode("line\n"),
    },
  ],
  bytes: 5,
});

/** A segment of each of so many executions. */
async function segments(db: Db, count: number) {
  const ids = await waiting(
    db,
    pool(["one"]),
    Array.from({ length: count }, () => ({})),
  );
  return ids.map(segmentOf);
}

/** Which of the executions have something in the store. */
async function stored(store: Awaited<ReturnType<typeof testStore>>): Promise<string[]> {
  const rows = await store.db.select({ id: logChunks.executionId }).from(logChunks);
  return rows.map(({ id }) => id).sort();
}

test("logs of hosts that come at once are stored in one transaction", async () => {
  await using store = await testStore();
  const writer = createLogWriter(store.db);
  const parts = await segments(store.db, 4);
  const leases = [];
  for (const host of ["one", "two", "three", "four"]) leases.push(await ownedHost(store.db, host));

  // The first is under way when the others come.
  await Promise.all(
    leases.map((lease, i) => writer.write({ lease, segments: parts.slice(i, i + 1) })),
  );

  const [row] = await store.sql`
    SELECT count(DISTINCT xmin::text)::int AS transactions, count(*)::int AS chunks
    FROM fastlane.log_chunks`;
  expect(row).toEqual({ transactions: 2, chunks: 4 });
});

test("of a host that was taken over nothing is stored, and all of the others beside it", async () => {
  await using store = await testStore();
  const writer = createLogWriter(store.db);
  const [first, ofHeld, ofStale, ofSuccessor] = await segments(store.db, 4);
  const [held, stale] = [await ownedHost(store.db, "one"), await ownedHost(store.db, "two")];
  await expire(store.db, "two");
  const successor = await acquireLease(store.db, "two", stale.nodeId);
  const write = (lease: Lease | null, segment = first) =>
    lease !== null && segment !== undefined
      ? writer.write({ lease, segments: [segment] })
      : Promise.reject(new Error("nothing to write"));

  const results = await Promise.allSettled([
    write(held),
    write(held, ofHeld),
    write(stale, ofStale),
    write(successor, ofSuccessor),
  ]);

  expect(results.map(({ status }) => status)).toEqual([
    "fulfilled",
    "fulfilled",
    "rejected",
    "fulfilled",
  ]);
  expect(results[2]).toMatchObject({ reason: expect.any(LeaseLost) });
  const written = [first, ofHeld, ofSuccessor].map((segment) => segment?.executionId ?? "");
  expect(await stored(store)).toEqual(written.sort());
});

test("what cannot be stored keeps nothing else from being stored", async () => {
  await using store = await testStore();
  const writer = createLogWriter(store.db);
  const [one, two] = [await ownedHost(store.db, "one"), await ownedHost(store.db, "two")];
  const [first, second] = await segments(store.db, 2);
  if (first === undefined || second === undefined) throw new Error("nothing to write");

  const results = await Promise.allSettled([
    writer.write({ lease: one, segments: [first] }),
    writer.write({ lease: one, segments: [segmentOf(crypto.randomUUID())] }),
    writer.write({ lease: two, segments: [second] }),
  ]);

  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(await stored(store)).toEqual([first.executionId, second.executionId].sort());
});
