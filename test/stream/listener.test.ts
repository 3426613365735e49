import { expect, test } from "bun:test";
import { parsePostgresUrl } from "../../src/store/address.ts";
import { openStore } from "../../src/store/connect.ts";
import { notify } from "../../src/store/notify.ts";
import { startListener } from "../../src/stream/listener.ts";
import { eventually } from "../support/client.ts";
import { startFaultProxy } from "../support/fault-proxy.ts";
import { startPostgres } from "../support/postgres.ts";

const HEARS_WITHIN_MS = 15_000;
const TIME_LIMIT_MS = 120_000;

function listenAt(url: string, directUrl = url) {
  const heard: string[] = [];
  let listening = 0;
  const listener = startListener({
    address: parsePostgresUrl(url),
    onNotification: (notification) => {
      if (notification.about === "host") heard.push(notification.host);
    },
    onListening: () => {
      listening++;
    },
    log() {},
  });
  const store = openStore({ address: parsePostgresUrl(directUrl), max: 2 });
  return {
    ...listener,
    store,
    heard,
    listening: () => listening,
    untilListening: (times: number, withinMs?: number) =>
      eventually(
        () => listening >= times || undefined,
        () => `it began to listen ${listening} times, not ${times}`,
        withinMs,
      ),
    async hears(host: string) {
      await notify(store.db, { about: "host", host });
      await eventually(
        () => heard.includes(host) || undefined,
        () => `"${host}" was not heard`,
        2_000,
      );
    },
    async [Symbol.asyncDispose]() {
      await listener.stop();
      await store.close();
    },
  };
}

test(
  "a listener whose session was ended listens again, and says so",
  async () => {
    await using postgres = await startPostgres();
    await using listener = listenAt(postgres.url);
    await listener.untilListening(1);
    await listener.hears("before");

    await listener.store.sql`
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = 'fastlane listener'`;

    await listener.untilListening(2, HEARS_WITHIN_MS);
    await listener.hears("after");
  },
  TIME_LIMIT_MS,
);

test.each(["fast", "immediate"] as const)(
  "a listener hears again after a %s restart of Postgres",
  async (mode) => {
    await using postgres = await startPostgres();
    await using listener = listenAt(postgres.url);
    await listener.untilListening(1);

    await postgres.restart(mode);

    await listener.untilListening(2, HEARS_WITHIN_MS);
    await eventually(
      () => listener.store.sql`SELECT 1`.catch(() => undefined),
      () => "Postgres is not back",
    );
    await listener.hears("after");
  },
  TIME_LIMIT_MS,
);

test(
  "a listener on a path that swallows everything finds out, and hears again when it heals",
  async () => {
    await using postgres = await startPostgres();
    await using proxy = await startFaultProxy({
      target: { host: "127.0.0.1", port: postgres.port },
    });
    await using listener = listenAt(proxy.url(postgres.url), postgres.url);
    await listener.untilListening(1);

    await proxy.set("hole");
    await eventually(
      () => proxy.connections > 2 || undefined,
      () => "no new connection was tried",
    );
    proxy.cut();
    const before = listener.listening();
    await proxy.set("pass");

    await listener.untilListening(before + 1, HEARS_WITHIN_MS);
    await listener.hears("after");
  },
  TIME_LIMIT_MS,
);

test(
  "a listener that nobody speaks to stays on one connection",
  async () => {
    await using postgres = await startPostgres();
    await using listener = listenAt(postgres.url);
    await listener.untilListening(1);
    const pidOf = async () => {
      const rows = await listener.store.sql<{ pid: number }[]>`
        SELECT pid FROM pg_stat_activity
        WHERE application_name = 'fastlane listener' AND query ILIKE 'listen%'`;
      return rows.map(({ pid }) => pid);
    };
    const before = await pidOf();

    await Bun.sleep(13_000);

    expect(before).toHaveLength(1);
    expect(await pidOf()).toEqual(before);
    expect(listener.listening()).toBe(1);
  },
  TIME_LIMIT_MS,
);
