import { expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import { claimStart, markRunning } from "../../src/services/claim-execution.ts";
import { dispatchPool } from "../../src/services/dispatch-pool.ts";
import { finishExecution } from "../../src/services/finish-execution.ts";
import { putBackExecution } from "../../src/services/put-back-execution.ts";
import type { Db } from "../../src/store/connect.ts";
import { type Lease, LeaseLost } from "../../src/store/hosts.ts";
import { executions, logChunks } from "../../src/store/schema.ts";
import { createLogWriter } from "../../src/worker/log-writer.ts";
import { acquireLease } from "../support/leases.ts";
import { testStore } from "../support/store.ts";
import { DONE, expire, ownedHost, pool, waiting } from "./rows.ts";

const NO_DISK = { message: "no disk", isOfHost: true };

const CONTAINER = "a".repeat(64);

async function givenExecution() {
  const store = await testStore();
  const lease = await ownedHost(store.db, "one");
  const [id = ""] = await waiting(store.db, pool(["one"]), [{}]);
  await dispatchPool(store.db, pool(["one"]));
  const row = async () => {
    const [found] = await store.db.select().from(executions).where(eq(executions.id, id));
    return found;
  };
  const [messages] = await store.sql<{ count: number }[]>`
    SELECT count(*)::int AS count FROM graphile_worker.jobs`;
  return Object.assign(store, { lease, id, row, messagesBefore: messages?.count ?? 0 });
}

const segment = (executionId: string, text: string, seq = 1) => ({
  executionId,
  seq,
  frames: [
    {
      stream: "stdout" as const,
      at: { seconds: 1, nanos: 0 },
      data: new TextEncoder().encode(text),
    },
  ],
});

async function writeLog(db: Db, lease: Lease, part: ReturnType<typeof segment>) {
  await createLogWriter(db).write({ lease, segments: [{ ...part, bytes: 1 }] });
}

test("of 8 that end an execution at once one does, with one dispatch for the slot", async () => {
  await using given = await givenExecution();
  await waiting(given.db, pool(["one"]), [{}]);
  const end = { executionId: given.id, end: DONE, restOfLog: [segment(given.id, "all\n")] };

  const ended = await Promise.all(
    Array.from({ length: 8 }, () => finishExecution(given.db, given.lease, end)),
  );

  expect(ended.filter((end) => end !== null)).toHaveLength(1);
  const [messages] = await given.sql`SELECT count(*)::int AS count FROM graphile_worker.jobs`;
  expect(messages?.["count"]).toBe(given.messagesBefore + 2);
  expect(await given.row()).toMatchObject({ status: "done", exitCode: 0 });
  expect(await given.db.$count(logChunks)).toBe(1);
});

test.each<
  [string, (given: Awaited<ReturnType<typeof givenExecution>>, stale: Lease) => Promise<unknown>]
>([
  [
    "an end",
    ({ db, id }, stale) =>
      finishExecution(db, stale, { executionId: id, end: DONE, restOfLog: [segment(id, "x")] }),
  ],
  ["a log", ({ db, id }, stale) => writeLog(db, stale, segment(id, "x"))],
  ["a start", ({ db, id }, stale) => claimStart(db, stale, id)],
  ["that it runs", ({ db, id }, stale) => markRunning(db, stale, id, CONTAINER)],
  [
    "that it waits again",
    ({ db, id }, stale) => putBackExecution(db, stale, { id, placements: 1 }, NO_DISK),
  ],
])("an owner that was taken over from cannot write %s", async (_, write) => {
  await using given = await givenExecution();
  const before = await given.row();
  await expire(given.db, "one");
  await acquireLease(given.db, "one", crypto.randomUUID());

  const written = await write(given, given.lease).catch((error: unknown) => error);

  expect(written).toBeInstanceOf(LeaseLost);
  expect(await given.row()).toEqual(before);
  expect(await given.db.$count(logChunks)).toBe(0);
});

test("what is written again, since the answer to its commit was lost, stands as it was", async () => {
  await using given = await givenExecution();
  const { db, lease, id } = given;

  expect(await claimStart(db, lease, id)).toEqual({ logBase: 0 });
  expect(await claimStart(db, lease, id)).toEqual({ logBase: 0 });
  expect(await markRunning(db, lease, id, CONTAINER)).not.toBeNull();
  const running = await given.row();
  expect(await markRunning(db, lease, id, CONTAINER)).not.toBeNull();
  expect(await given.row()).toEqual(running);
  await writeLog(db, lease, segment(id, "once\n"));
  await writeLog(db, lease, segment(id, "once\n"));

  expect(await db.$count(logChunks)).toBe(1);
});

test("an execution does not run in a second container", async () => {
  await using given = await givenExecution();
  const { db, lease, id } = given;
  await markRunning(db, lease, id, CONTAINER);

  const marked = await markRunning(db, lease, id, "b".repeat(64));

  expect(marked).toBeNull();
  expect(await given.row()).toMatchObject({ containerId: CONTAINER });
});

test("an execution that is put back waits for a while, on no host", async () => {
  await using given = await givenExecution();

  await putBackExecution(given.db, given.lease, { id: given.id, placements: 1 }, NO_DISK);

  const row = await given.row();
  expect(row).toMatchObject({ status: "enqueued", host: null, lastFault: "no disk" });
  expect((await dispatchPool(given.db, pool(["one"]))).placed).toBe(0);
});
