import type { Store } from "../../src/store/connect.ts";

/** All rows of all tables of all schemas but Postgres' own, as one text. */
export async function everyRow({ sql }: Pick<Store, "sql">): Promise<string> {
  const tables = await sql<{ name: string }[]>`
    SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
    WHERE table_schema NOT IN ('pg_catalog', 'information_schema')`;
  const rows = await Promise.all(
    tables.map(({ name }) => sql.unsafe(`SELECT t::text AS row FROM ${name} AS t`)),
  );
  return JSON.stringify(rows);
}
