import { expect, test } from "bun:test";
import {
  askForChore,
  choreState,
  finishChore,
  holdChore,
  takeChore,
} from "../../src/store/chores.ts";
import { openStore } from "../../src/store/connect.ts";
import { keepHouse, startHousekeeping } from "../../src/worker/housekeeping.ts";
import { agedStore, RETENTION } from "../services/aged.ts";
import { eventually } from "../support/client.ts";
import { TEST_SECRETS } from "../support/secrets.ts";
import { testStore } from "../support/store.ts";

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

test("of nodes that ask at once one takes a chore, and it is due again when its time has come", async () => {
  await using store = await testStore();
  const ask = () =>
    Promise.all(Array.from({ length: 8 }, () => takeChore(store.db, "chore", 3_600)));

  const [holder] = (await ask()).filter((taken) => taken !== null);
  expect((await ask()).filter(Boolean)).toHaveLength(0);
  await finishChore(store.db, "chore", holder ?? "", {});
  expect((await ask()).filter(Boolean)).toHaveLength(0);
  await store.sql`UPDATE fastlane.chores SET last_at = now() - interval '1 hour'`;

  expect((await ask()).filter(Boolean)).toHaveLength(1);
});

test("a chore that lasts longer than an hour is no other node's until its own is silent", async () => {
  await using store = await testStore();
  const { db, sql } = store;
  const holder = (await takeChore(db, "chore", 3_600)) ?? "";
  await sql`UPDATE fastlane.chores SET last_at = now() - interval '2 hours'`;

  expect(await takeChore(db, "chore", 3_600)).toBeNull();
  await holdChore(db, "chore", holder);
  await sql`UPDATE fastlane.chores SET held_until = now(), last_at = now() - interval '2 hours'`;
  const next = await takeChore(db, "chore", 3_600);

  expect(next).not.toBeNull();
  await expect(holdChore(db, "chore", holder)).rejects.toThrow("Another node does");
  await finishChore(db, "chore", holder, { of: "who has lost it" });
  expect((await choreState(db, "chore")).isRunning).toBe(true);
});

test("a chore that is asked for is done at once, and once more by whoever is at it", async () => {
  await using store = await testStore();
  const { db } = store;
  const ask = () => db.transaction((tx) => askForChore(tx, "chore"));

  await ask();
  const holder = (await takeChore(db, "chore", 3_600)) ?? "";
  await ask();
  expect(await takeChore(db, "chore", 3_600)).toBeNull();
  await finishChore(db, "chore", holder, {});

  expect(await takeChore(db, "chore", 3_600)).not.toBeNull();
  expect(await takeChore(db, "chore", 3_600)).toBeNull();
});

test("housekeeping makes room for the days to come and removes what is over", async () => {
  await using given = await agedStore();
  const gone = await given.ended("done", 181, ["gone\n"]);
  const kept = await given.ended("failed", 31, ["kept\n"]);
  const [ahead] = await given.sql<{ name: string }[]>`
    SELECT max(inhrelid::regclass::text) AS name FROM pg_inherits
    WHERE inhparent = 'fastlane.log_chunks'::regclass`;
  await given.sql`DROP TABLE ${given.sql(ahead?.name ?? "")}`;

  const { stop } = startHousekeeping({
    db: given.db,
    log: quiet,
    retention: RETENTION,
    secrets: TEST_SECRETS,
  });
  await eventually(
    async () => {
      const rows = await given.sql`SELECT FROM fastlane.executions WHERE id = ${gone}`;
      return rows.length === 0 ? true : undefined;
    },
    () => "the execution was there",
  );
  await stop();

  const [made] = await given.sql`SELECT to_regclass(${ahead?.name ?? ""}) AS name`;
  expect(made?.["name"]).not.toBeNull();
  expect(await given.textOf(kept)).toBe("kept\n");
});

test("housekeeping that takes longer than a statement may last says so", async () => {
  await using given = await testStore();
  const busy = openStore({ address: given.address, max: 1 });
  await busy.sql`SET statement_timeout = 100`;
  const said = Promise.withResolvers<unknown>();
  const log = { ...quiet, error: said.resolve };

  await given.sql.begin(async (holding) => {
    await holding`LOCK TABLE fastlane.log_days IN ACCESS EXCLUSIVE MODE`;
    const { stop } = startHousekeeping({
      db: busy.db,
      log,
      retention: RETENTION,
      secrets: TEST_SECRETS,
    });
    await said.promise;
    await stop();
  });
  await busy.close();

  expect(await said.promise).toEqual({ error: expect.any(String) });
});

test("a node that stops gives it up between two steps, and the next one goes on", async () => {
  await using given = await agedStore();
  const failed = await given.ended("failed", 31, ["failed\n"]);
  const deps = { db: given.db, log: quiet, retention: RETENTION, secrets: TEST_SECRETS };

  await expect(keepHouse(deps, AbortSignal.abort(), null)).rejects.toThrow();
  expect(await given.textOf(failed)).toBe("failed\n");
  await keepHouse(deps, new AbortController().signal, null);

  expect(await given.textOf(failed)).toBe("failed\n");
  const [kept] = await given.sql`SELECT count(*)::int FROM fastlane.log_days WHERE kept = 'failed'`;
  expect(kept?.["count"]).toBe(1);
});

test("who did what is kept for as long as the configuration says, whatever becomes of the rest", async () => {
  await using given = await testStore();
  await given.sql`
    INSERT INTO fastlane.audit (at, actor_kind, action, host)
    SELECT now() - make_interval(days => days, mins => n), 'anonymous', 'drain', 'of ' || days
    FROM (VALUES (365), (364), (0)) AS aged (days), generate_series(1, 1001) AS n`;
  const deps = { db: given.db, log: quiet, retention: RETENTION, secrets: TEST_SECRETS };

  await keepHouse(deps, new AbortController().signal, null);

  const rows = await given.sql`
    SELECT host, count(*)::int FROM fastlane.audit GROUP BY host ORDER BY host`;
  expect([...rows]).toEqual([
    { host: "of 0", count: 1_001 },
    { host: "of 364", count: 1_001 },
  ]);
});
