import type postgres from "postgres";
import type { PostgresAddress } from "./address.ts";
import { openStore } from "./connect.ts";
import { MIGRATIONS, type Migration } from "./migrations.ts";

// Any number that no other program is likely to lock on: "fastlane" as 8 bytes.
const MIGRATION_LOCK = 0x666173746c616e65n.toString();

export interface MigrateOptions {
  address: PostgresAddress;
  /** The queue's own tables, made under the same lock. */
  migrateQueue(): Promise<void>;
  migrations?: readonly Migration[];
}

/**
 * Brings the schema to what this binary knows, whichever node comes first; the others wait.
 *
 * @returns The names of the changes that were made now.
 * @throws {Error} If the schema is newer than this binary: an older one would not keep its rules.
 */
export async function migrate(options: MigrateOptions): Promise<string[]> {
  const { address, migrations = MIGRATIONS } = options;
  const store = openStore({ address, max: 1, name: "fastlane migrate", patient: true });
  try {
    const connection = await store.sql.reserve();
    try {
      await connection`SELECT pg_advisory_lock(${MIGRATION_LOCK}::bigint)`;
      const made = await applyMissing(connection, migrations);
      await options.migrateQueue();
      return made;
    } finally {
      // Ending the session below frees the lock too; this keeps the next node from waiting for it.
      await connection`SELECT pg_advisory_unlock(${MIGRATION_LOCK}::bigint)`.catch(() => {});
      connection.release();
    }
  } finally {
    await store.close();
  }
}

async function applyMissing(
  connection: postgres.ReservedSql,
  migrations: readonly Migration[],
): Promise<string[]> {
  await connection.unsafe(`
    CREATE SCHEMA IF NOT EXISTS fastlane;
    CREATE TABLE IF NOT EXISTS fastlane.migrations (
      number int PRIMARY KEY,
      name text NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT now()
    )`);
  const rows = await connection<{ number: number; name: string }[]>`
    SELECT number, name FROM fastlane.migrations ORDER BY number`;
  refuseNewerSchema(rows, migrations);
  const missing = migrations.slice(rows.length);
  for (const { number, name, sql } of missing) {
    // Several statements in one simple query are one transaction, and the session is ours alone.
    await connection
      .unsafe(`
      BEGIN;
      ${sql};
      INSERT INTO fastlane.migrations (number, name) VALUES (${number}, '${name}');
      COMMIT`)
      .catch(async (error: unknown) => {
        await connection.unsafe("ROLLBACK");
        throw new Error(`Cannot apply migration ${number} "${name}"`, { cause: error });
      });
  }
  return missing.map(({ name }) => name);
}

/** @throws {Error} If changes were made that are not known here, or others. */
export function refuseNewerSchema(
  rows: readonly { number: number; name: string }[],
  migrations: readonly Migration[],
): void {
  for (const [position, row] of rows.entries()) {
    const known = migrations[position];
    if (known === undefined) {
      throw new Error(
        `Cannot use this database: its schema is at ${rows.length} "${rows.at(-1)?.name}", newer than ` +
          `this fastlane, which knows ${migrations.length}; start the newer fastlane, or restore a backup`,
      );
    }
    if (known.number !== row.number || known.name !== row.name) {
      throw new Error(
        `Cannot use this database: its change ${row.number} is "${row.name}", ` +
          `where this fastlane has ${known.number} "${known.name}"; they are not of one line`,
      );
    }
  }
}
