import { createHash, randomUUID } from "node:crypto";
import postgres from "postgres";
import { startPostgres } from "./private-postgres.ts";

export { startPostgres };

export interface TestDatabase extends AsyncDisposable {
  url: string;
}

// "template" as 8 bytes.
const TEMPLATE_LOCK = 0x74656d706c617465n.toString();

let shared: Promise<string> | undefined;

/** The administrator's URL of the server that all tests share; they may not break it. */
export function testServer(): Promise<string> {
  const given = process.env["FASTLANE_TEST_POSTGRES"];
  shared ??= given === undefined ? startPostgres().then(({ url }) => url) : Promise.resolve(given);
  return shared;
}

/**
 * Makes the template that tests copy, unless one of this hash is there, whichever process asks first.
 *
 * @param hash Of all that `migrate` depends on.
 * @returns Its name, for `testDatabase`.
 */
export async function prepareTemplate(
  adminUrl: string,
  hash: string,
  migrate: (url: string) => Promise<void>,
): Promise<string> {
  const template = `template_${createHash("sha256").update(hash).digest("hex").slice(0, 16)}`;
  const building = `${template}_building`;
  await asAdmin(adminUrl, async (sql) => {
    await sql`SELECT pg_advisory_lock(${TEMPLATE_LOCK}::bigint)`;
    const there = await sql`SELECT FROM pg_database WHERE datname = ${template}`;
    if (there.length > 0) return;
    await sql`DROP DATABASE IF EXISTS ${sql(building)} WITH (FORCE)`;
    await sql`CREATE DATABASE ${sql(building)}`;
    await migrate(databaseUrl(adminUrl, building));
    await sql`ALTER DATABASE ${sql(building)} RENAME TO ${sql(template)}`;
  });
  return template;
}

/** A database of its own on the shared server, gone when it is disposed of. */
export async function testDatabase(template = "template1"): Promise<TestDatabase> {
  const adminUrl = await testServer();
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  await asAdmin(adminUrl, (sql) => sql`CREATE DATABASE ${sql(name)} TEMPLATE ${sql(template)}`);
  return {
    url: databaseUrl(adminUrl, name),
    [Symbol.asyncDispose]: () =>
      asAdmin(adminUrl, async (sql) => {
        await sql`DROP DATABASE IF EXISTS ${sql(name)} WITH (FORCE)`;
      }),
  };
}

async function asAdmin<T>(url: string, work: (sql: postgres.Sql) => PromiseLike<T>): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {}, max_lifetime: null });
  try {
    await work(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

function databaseUrl(adminUrl: string, name: string): string {
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return url.href;
}
