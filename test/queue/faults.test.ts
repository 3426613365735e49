import { expect, test } from "bun:test";
import { queueLength } from "../../src/queue/unlock.ts";
import { eventually } from "../support/client.ts";
import { startFaultProxy } from "../support/fault-proxy.ts";
import { startPostgres } from "../support/postgres.ts";
import { testStore } from "../support/store.ts";
import { queueAt } from "./faults.ts";

/** From Postgres being back to everything going on. */
const BACK_WITHIN_MS = 15_000;
const TIME_LIMIT_MS = 120_000;

test(
  "a handler that ends while Postgres is down is completed afterwards, and others go on",
  async () => {
    await using postgres = await startPostgres();
    await using given = await queueAt(postgres.url);
    const gate = Promise.withResolvers<void>();
    given.gates.set("held", gate.promise);
    await given.send("held");
    await given.until(given.heard, "held");

    await postgres.halt("immediate");
    gate.resolve();
    await given.until(given.ended, "held");
    await postgres.restart();
    await given.send("after");

    await given.until(given.ended, "after", BACK_WITHIN_MS);
    await eventually(
      async () => (await queueLength(given.store.db).catch(() => null))?.waiting === 0 || undefined,
      () => "a message is left",
    );
    expect(given.rejections).toEqual([]);
    expect(given.heard).toEqual(["held", "after"]);
  },
  TIME_LIMIT_MS,
);

test(
  "a path that swallows everything heals, and the queue with it",
  async () => {
    await using postgres = await startPostgres();
    await using proxy = await startFaultProxy({
      target: { host: "127.0.0.1", port: postgres.port },
    });
    await using given = await queueAt(postgres.url, proxy.url(postgres.url));
    await given.send("before");
    await given.until(given.ended, "before");

    await proxy.set("hole");
    await eventually(
      () => !given.queue.isAlive() || undefined,
      () => "the silence was not noticed",
    );
    await proxy.set("pass");
    await given.send("after");

    await given.until(given.ended, "after", BACK_WITHIN_MS);
    expect(given.rejections).toEqual([]);
  },
  TIME_LIMIT_MS,
);

test(
  "a path that is cut ten times loses no message",
  async () => {
    await using postgres = await startPostgres();
    await using proxy = await startFaultProxy({
      target: { host: "127.0.0.1", port: postgres.port },
    });
    await using given = await queueAt(postgres.url, proxy.url(postgres.url));

    for (let cut = 0; cut < 10; cut++) {
      await given.send(`message ${cut}`);
      proxy.cut();
    }
    await given.send("last");

    await given.until(given.ended, "last", BACK_WITHIN_MS);
    expect(given.rejections).toEqual([]);
  },
  TIME_LIMIT_MS,
);

test.each(["pass", "refuse", "hole"] as const)(
  "a queue stops in time while the path is %s",
  async (mode) => {
    await using postgres = await startPostgres();
    await using proxy = await startFaultProxy({
      target: { host: "127.0.0.1", port: postgres.port },
    });
    await using given = await queueAt(postgres.url, proxy.url(postgres.url));
    await given.send("before");
    await given.until(given.ended, "before");
    await proxy.set(mode);

    const askedAt = performance.now();
    await given.queue.stop();

    expect(performance.now() - askedAt).toBeLessThan(7_000);
    expect(given.rejections).toEqual([]);
  },
  TIME_LIMIT_MS,
);

test(
  "a completion that is under way when the queue stops fails nowhere, now or later",
  async () => {
    await using store = await testStore();
    await using given = await queueAt(store.url);
    const gate = Promise.withResolvers<void>();
    given.gates.set("held", gate.promise);
    await given.send("held");
    await given.until(given.heard, "held");

    await store.sql.begin(async (tx) => {
      await tx`SELECT FROM graphile_worker._private_jobs FOR UPDATE`;
      gate.resolve();
      await given.until(given.ended, "held");
      await given.queue.stop();
    });

    // graphile-worker tries a completion that was cut off again after some 3 s.
    await Bun.sleep(6_000);
    expect(given.rejections).toEqual([]);
  },
  TIME_LIMIT_MS,
);
