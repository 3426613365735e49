import { expect, test } from "bun:test";
import { parsePostgresUrl } from "../../src/store/address.ts";
import { openStore } from "../../src/store/connect.ts";
import { isDatabaseDown } from "../../src/store/faults.ts";
import { eventually } from "../support/client.ts";
import { startFaultProxy } from "../support/fault-proxy.ts";
import { startPostgres } from "../support/postgres.ts";
import { testStore } from "../support/store.ts";

test("of inserts in flight while transactions begin none is lost", async () => {
  await using store = await testStore();
  const { sql, close } = openStore({ address: store.address, max: 2 });
  await sql`CREATE TABLE kept (id int)`;

  const work = Array.from({ length: 600 }, (_, id) =>
    id % 6 === 0
      ? sql.begin((tx) => tx`INSERT INTO kept VALUES (${id})`)
      : sql`INSERT INTO kept VALUES (${id})`,
  );
  await Promise.all(work);

  const [row] = await sql`SELECT count(*)::int AS count FROM kept`;
  await close();
  expect(row?.["count"]).toBe(600);
});

test("a server that falls silent in the middle of a statement is given up within 10 s", async () => {
  await using postgres = await startPostgres();
  await using proxy = await startFaultProxy({ target: { host: "127.0.0.1", port: postgres.port } });
  const store = openStore({ address: parsePostgresUrl(proxy.url(postgres.url)), max: 1 });
  await store.sql`SELECT 1`;

  await proxy.set("hole");
  const askedAt = performance.now();
  const error = await store.sql`SELECT 1`.catch((caught: unknown) => caught);

  expect(isDatabaseDown(error)).toBe(true);
  expect(performance.now() - askedAt).toBeLessThan(11_000);
  await proxy.set("pass");
  await eventually(
    () => store.sql`SELECT 1`.catch(() => undefined),
    () => "the store has not come back",
  );
  await store.close();
}, 60_000);

test("transactions that the server ends in their middle fail as a fault of the server, twice", async () => {
  await using store = await testStore();
  const { sql, close } = openStore({ address: store.address, max: 4 });
  const unhandled: unknown[] = [];
  const note = (error: unknown) => unhandled.push(error);
  process.on("uncaughtException", note);

  for (let round = 0; round < 2; round++) {
    const errors = await Promise.all(
      Array.from({ length: 4 }, () =>
        sql
          .begin(async (tx) => {
            const [row] = await tx`SELECT pg_backend_pid() AS pid`;
            // At once: a transaction that waits for anything else may find its connection gone.
            await Promise.all([
              tx`SELECT pg_sleep(5)`,
              store.sql`SELECT pg_terminate_backend(${row?.["pid"]})`,
            ]);
          })
          .catch((error: unknown) => error),
      ),
    );
    expect(errors.map(isDatabaseDown)).toEqual([true, true, true, true]);
  }
  // The driver may need its connect timeout of 5 s to give up a connection that was cut.
  const answers = await Promise.all(
    Array.from({ length: 20 }, () =>
      eventually(
        () => sql`SELECT 1 AS one`.catch(() => undefined),
        () => "the store has not come back",
      ),
    ),
  );

  process.off("uncaughtException", note);
  await close();
  expect(answers.map(([row]) => row?.["one"])).toEqual(Array(20).fill(1));
  expect(unhandled).toEqual([]);
}, 60_000);
