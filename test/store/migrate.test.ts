import { expect, test } from "bun:test";
import { packFrames } from "../../src/core/log-frames.ts";
import { migrateQueue } from "../../src/queue/runner.ts";
import { parsePostgresUrl } from "../../src/store/address.ts";
import { openStore } from "../../src/store/connect.ts";
import { migrate } from "../../src/store/migrate.ts";
import { MIGRATIONS, type Migration } from "../../src/store/migrations.ts";
import { readTail } from "../../src/store/read-log.ts";
import { readText } from "../../src/store/read-text.ts";
import { segmentOf, textOfStream } from "../support/logs.ts";
import { testDatabase } from "../support/postgres.ts";

async function emptyDatabase() {
  const database = await testDatabase();
  const address = parsePostgresUrl(database.url);
  const store = openStore({ address, max: 2 });
  return {
    db: store.db,
    sql: store.sql,
    migrate: (migrations: readonly Migration[] = MIGRATIONS, queue = false) =>
      migrate({
        address,
        migrations,
        migrateQueue: async () => {
          if (queue) await migrateQueue(address);
        },
      }),
    async [Symbol.asyncDispose]() {
      await store.close();
      await database[Symbol.asyncDispose]();
    },
  };
}

const ALL = MIGRATIONS.map(({ name }) => name);
const NEXT: Migration = {
  number: MIGRATIONS.length + 1,
  name: "create_next",
  sql: "CREATE TABLE fastlane.next (id int)",
};

test.each([2, 6])(
  "of %d nodes that start at once on an empty database one makes all",
  async (nodes) => {
    await using database = await emptyDatabase();

    const made = await Promise.all(
      Array.from({ length: nodes }, () => database.migrate(MIGRATIONS, true)),
    );

    expect(made.filter((names) => names.length > 0)).toEqual([ALL]);
  },
);

test("only what is missing is made", async () => {
  await using database = await emptyDatabase();

  expect(await database.migrate(MIGRATIONS.slice(0, 2))).toEqual(ALL.slice(0, 2));
  expect(await database.migrate()).toEqual(ALL.slice(2));
  expect(await database.migrate()).toEqual([]);
});

test("a schema that is newer than the binary is refused with what to do", async () => {
  await using database = await emptyDatabase();
  await database.migrate([...MIGRATIONS, NEXT]);

  const refused = database.migrate();

  await expect(refused).rejects.toThrow(
    `its schema is at ${NEXT.number} "create_next", newer than this fastlane`,
  );
});

test("a schema of another line of changes is refused", async () => {
  await using database = await emptyDatabase();
  await database.migrate([...MIGRATIONS, NEXT]);

  const refused = database.migrate([...MIGRATIONS, { ...NEXT, name: "create_other" }]);

  await expect(refused).rejects.toThrow("they are not of one line");
});

test("a change that fails leaves nothing, and can be made once it is mended", async () => {
  await using database = await emptyDatabase();
  const broken = { ...NEXT, sql: `${NEXT.sql}; SELECT 1 / 0` };

  const failed = database.migrate([...MIGRATIONS, broken]);
  await expect(failed).rejects.toThrow(`Cannot apply migration ${NEXT.number} "create_next"`);

  const [left] = await database.sql`SELECT to_regclass('fastlane.next') AS "table"`;
  expect(left?.["table"]).toBeNull();
  expect(await database.migrate([...MIGRATIONS, NEXT])).toEqual(["create_next"]);
});

test("the log of before the partitions reads the same after them, and goes on behind it", async () => {
  await using database = await emptyDatabase();
  const { db, sql } = database;
  await database.migrate(MIGRATIONS.slice(0, 16));
  const [id, jobId] = [crypto.randomUUID(), crypto.randomUUID()];
  await sql`INSERT INTO fastlane.tasks (id) VALUES ('t')`;
  await sql`INSERT INTO fastlane.jobs (id, task_id, request, rules) VALUES (${jobId}, 't', '{}', '{}')`;
  await sql`
    INSERT INTO fastlane.executions (id, job_id, task_id, pool, request, created_at)
    VALUES (${id}, ${jobId}, 't', '', '{}', now() - interval '9 days')`;
  const chunk = async (seq: number, text: string, day: Record<string, string> = {}) => {
    const { index, data } = packFrames(segmentOf(id, seq, text).frames);
    const row = { execution_id: id, seq, frames: 1, stdout_bytes: text.length, stderr_bytes: 0 };
    const rest = { last_at: "2026-01-01T00:00:00Z", index, data, ...day };
    await sql`INSERT INTO fastlane.log_chunks ${sql({ ...row, ...rest })}`;
  };
  await chunk(1, "one\n");
  await chunk(2, "two\n");

  await database.migrate();
  const [row] = await sql`SELECT log_day::text AS day FROM fastlane.executions`;
  await chunk(3, "three\n", { day: row?.["day"] });

  expect(await textOfStream(readText(db, id, ["stdout"]))).toBe("one\ntwo\nthree\n");
  const tail = await readTail(db, id, "stdout", 6);
  expect(Buffer.from(tail.data).toString()).toBe("three\n");
});
