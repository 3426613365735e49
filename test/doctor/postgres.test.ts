import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFile, writeFile } from "node:fs/promises";
import postgres from "postgres";
import type { Tell } from "../../src/doctor/finding.ts";
import { judgeServer } from "../../src/doctor/postgres-settings.ts";
import { startPostgres } from "../support/postgres.ts";
import type { PrivatePostgres } from "../support/private-postgres.ts";
import { migratedDatabase, testStore } from "../support/store.ts";
import { about, look, theOne } from "./look.ts";

const SUBJECT = "Postgres";
const WRITES_TO_DISK = /is off: a power cut/;

let durable: PrivatePostgres;
beforeAll(async () => {
  durable = await startPostgres({ durable: true });
  const sql = postgres(durable.url, { max: 1, onnotice: () => {} });
  await sql`CREATE ROLE locked LOGIN PASSWORD 'right'`;
  const [row] = await sql<[{ hba_file: string }]>`SHOW hba_file`;
  const rules = await readFile(row.hba_file, "utf8");
  await writeFile(row.hba_file, `host all locked all scram-sha-256\n${rules}`);
  await sql`SELECT pg_reload_conf()`;
  await sql.end();
});
afterAll(() => durable.stop());

test("of a server that is as it should be nothing is said that is wrong", async () => {
  const found = await look({ config: { databaseUrl: durable.url } });

  const lines = about(found, SUBJECT);
  expect(lines.filter((line) => !/^ok: |too slow|which is slow/.test(line))).toEqual([]);
  expect(lines).toContainEqual(expect.stringMatching(/^ok: version 1\d/));
  expect(lines).toContain("ok: what is committed is on disk");
  expect(lines).toContainEqual(expect.stringMatching(/commit takes/));
  expect(lines).toContain("ok: a session that listens hears what another one notifies it of");
  expect(lines).toContainEqual(expect.stringMatching(/not used yet/));
});

test.each([
  [
    "a wrong password",
    () => durable.url.replace("postgres@", "locked:canary-5e1d@"),
    /refuses the password/,
  ],
  [
    "a database that is not there",
    () => durable.url.replace(/postgres$/, "none"),
    /no such database/,
  ],
  ["a port nobody listens at", () => "postgres://a:canary-5e1d@127.0.0.1:1/b", /nothing listens/],
  ["a URL that cannot be read", () => "postgres://a:canary-5e1d@h/b?sslmode=no", /sslmode "no"/],
])("%s is a problem with advice, and the password is not told", async (_, url, words) => {
  const found = await look({ config: { databaseUrl: url() } });

  expect(theOne(found, SUBJECT, words)).toMatchObject({
    level: "problem",
    advice: expect.any(String),
  });
  expect(JSON.stringify(found)).not.toContain("canary-5e1d");
});

test("a database that only reads, or loses what it is told, is a problem", async () => {
  await using database = await migratedDatabase();
  const name = new URL(database.url).pathname.slice(1);
  const sql = postgres(database.url, { max: 1 });
  await sql.unsafe(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
  await sql.unsafe(`ALTER DATABASE ${name} SET synchronous_commit = off`);
  await sql.end();

  const found = await look({ config: { databaseUrl: database.url } });

  for (const words of [/lets this user only read/, WRITES_TO_DISK, /synchronous_commit is off/]) {
    const { level, advice } = theOne(found, SUBJECT, words);
    expect([level, typeof advice]).toEqual(["problem", "string"]);
  }
});

test("a schema that is newer than this binary is a problem, one that lacks changes is not", async () => {
  await using newer = await testStore();
  await newer.sql`INSERT INTO fastlane.migrations (number, name) VALUES (999, 'from_the_future')`;
  await using older = await testStore();
  await older.sql`
    DELETE FROM fastlane.migrations WHERE number = (SELECT max(number) FROM fastlane.migrations)`;

  const [ofNewer, ofOlder] = await Promise.all([
    look({ config: { databaseUrl: newer.url } }),
    look({ config: { databaseUrl: older.url } }),
  ]);

  expect(theOne(ofNewer, SUBJECT, /newer than this fastlane/).level).toBe("problem");
  expect(theOne(ofOlder, SUBJECT, /1 change of the schema is missing/).level).toBe("warning");
});

const WELL = {
  versionNumber: 160_002,
  version: "16.2",
  isReplica: false,
  isReadOnly: false,
  fsync: true,
  fullPageWrites: true,
  synchronousCommit: "on",
  autovacuum: true,
  sharedBuffersBytes: 128 * 1024 ** 2,
  sessions: 97,
  othersSessions: 0,
  oldestTransactionSeconds: 0,
  clock: 0,
};

test.each([
  [{}, []],
  [{ versionNumber: 130_010, version: "13.10" }, ["problem: version 13.10 is too old"]],
  [{ versionNumber: 190_000, version: "19.0" }, ["warning: version 19.0 is newer"]],
  [{ isReplica: true, isReadOnly: true }, ["problem: it is a replica"]],
  [{ fullPageWrites: false }, ["problem: full_page_writes is off"]],
  [{ synchronousCommit: "local" }, []],
  [{ autovacuum: false }, ["problem: autovacuum is off"]],
  [{ sharedBuffersBytes: 1024 ** 2 }, ["warning: shared_buffers is 1.0 MiB"]],
  [{ oldestTransactionSeconds: 7_300 }, ["warning: a transaction has been open for 2 h"]],
])("of a server with %j is told: %j", (facts, told) => {
  const said: string[] = [];
  const tell: Tell = {
    ok: () => {},
    warning: (message) => said.push(`warning: ${message}`),
    problem: (message) => said.push(`problem: ${message}`),
  };

  judgeServer(tell, { ...WELL, ...facts });

  expect(said).toEqual(told.map((words) => expect.stringContaining(words)));
});
