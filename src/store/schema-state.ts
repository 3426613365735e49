import type postgres from "postgres";
import { messageOf } from "../core/errors.ts";
import { refuseNewerSchema } from "./migrate.ts";
import { MIGRATIONS } from "./migrations.ts";

export interface SchemaState {
  /** Changes that were made there; 0 in a database that fastlane has not used yet. */
  applied: number;
  /** Changes that this binary knows. */
  known: number;
  /** Why this binary cannot use it, in a sentence; `null` when it can. */
  fault: string | null;
  /** Whether this user may make what is missing. */
  mayCreate: boolean;
}

/** How the schema of a database stands to what this binary knows; nothing is changed. */
export async function schemaState(sql: postgres.Sql): Promise<SchemaState> {
  const [there] = await sql<[{ isThere: boolean; mayCreate: boolean }]>`
    SELECT to_regclass('fastlane.migrations') IS NOT NULL AS "isThere",
      has_database_privilege(current_database(), 'CREATE') AS "mayCreate"`;
  const { isThere = false, mayCreate = false } = there ?? {};
  const rows = isThere
    ? await sql<{ number: number; name: string }[]>`
        SELECT number, name FROM fastlane.migrations ORDER BY number`
    : [];
  return { applied: rows.length, known: MIGRATIONS.length, fault: faultOf(rows), mayCreate };
}

function faultOf(rows: readonly { number: number; name: string }[]): string | null {
  try {
    refuseNewerSchema(rows, MIGRATIONS);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}
