import { expect, test } from "bun:test";
import { enqueue } from "../../src/queue/enqueue.ts";
import { startQueue } from "../../src/queue/runner.ts";
import { queueLength, unlockMessagesOf } from "../../src/queue/unlock.ts";
import type { Db } from "../../src/store/connect.ts";
import { eventually } from "../support/client.ts";
import { testStore } from "../support/store.ts";

const send = (db: Db, pool: string) => db.transaction((tx) => enqueue(tx, "dispatch", { pool }));

function recordingQueue(store: Awaited<ReturnType<typeof testStore>>) {
  const heard: string[] = [];
  const queue = startQueue({
    address: store.address,
    handlers: {
      async trace() {},
      async fire() {},
      async dispatch({ pool }) {
        heard.push(pool);
      },
    },
    log() {},
  });
  return { ...queue, heard, [Symbol.asyncDispose]: () => queue.stop() };
}

test("a message of a transaction that rolls back is never seen", async () => {
  await using store = await testStore();
  await using queue = recordingQueue(store);

  const rolledBack = store.db.transaction(async (tx) => {
    await enqueue(tx, "dispatch", { pool: "rolled back" });
    throw new Error("rolled back");
  });
  await expect(rolledBack).rejects.toThrow("rolled back");
  await send(store.db, "after");

  await eventually(
    () => queue.heard.includes("after") || undefined,
    () => "the message was not handled",
  );
  expect(queue.heard).toEqual(["after"]);
});

test("two runners handle each of 100 messages once, and keep none", async () => {
  await using store = await testStore();
  await using one = recordingQueue(store);
  await using two = recordingQueue(store);
  const pools = Array.from({ length: 100 }, (_, number) => `pool ${number}`);

  await Promise.all(pools.map((pool) => send(store.db, pool)));

  await eventually(
    async () => (await queueLength(store.db)).waiting === 0 || undefined,
    () => "messages are left",
  );
  expect([...one.heard, ...two.heard].sort()).toEqual(pools.sort());
});

test("a message that waits for its time is not handled before", async () => {
  await using store = await testStore();
  await using queue = recordingQueue(store);

  await store.db.transaction((tx) => enqueue(tx, "dispatch", { pool: "later" }, 1_500));
  const sentAt = performance.now();
  await eventually(
    () => queue.heard.includes("later") || undefined,
    () => "the message was not handled",
  );

  expect(performance.now() - sentAt).toBeGreaterThan(1_400);
});

test("the messages that a dead node held are handled by another", async () => {
  await using store = await testStore();
  await send(store.db, "orphan");
  await store.sql`
    UPDATE graphile_worker._private_jobs SET locked_at = now(), locked_by = 'dead', attempts = 1`;
  await using queue = recordingQueue(store);
  await send(store.db, "mine");
  await eventually(
    () => queue.heard.includes("mine") || undefined,
    () => "the message was not handled",
  );
  expect(queue.heard).toEqual(["mine"]);

  await unlockMessagesOf(store.db, ["dead"]);

  await eventually(
    () => queue.heard.includes("orphan") || undefined,
    () => "the message was not handled",
  );
});
