import type postgres from "postgres";

export interface NodeFacts {
  name: string;
  version: string;
  /** Since its last heartbeat. */
  silentSeconds: number;
}

/** The nodes that have a row, the oldest first. */
export async function nodeFacts(sql: postgres.Sql): Promise<NodeFacts[]> {
  return await sql<NodeFacts[]>`
    SELECT name, version,
      extract(epoch FROM clock_timestamp() - heartbeat_at)::float8 AS "silentSeconds"
    FROM fastlane.nodes ORDER BY started_at, name`;
}

/** Which of these hosts no node holds at the moment. */
export async function hostsWithoutOwner(
  sql: postgres.Sql,
  names: readonly string[],
): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    SELECT name FROM jsonb_array_elements_text(${JSON.stringify(names)}::text::jsonb) AS wanted (name)
    WHERE NOT EXISTS (
      SELECT FROM fastlane.hosts
      WHERE hosts.name = wanted.name AND lease_node IS NOT NULL
        AND lease_expires_at > clock_timestamp()
    )`;
  return rows.map(({ name }) => name);
}

/** The time zones of the schedules that have a tick to come. */
export async function zonesOfSchedules(sql: postgres.Sql): Promise<string[]> {
  const rows = await sql<{ timezone: string }[]>`
    SELECT DISTINCT timezone FROM fastlane.schedules WHERE next_at IS NOT NULL ORDER BY timezone`;
  return rows.map(({ timezone }) => timezone);
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Which of these are the ids of no execution. */
export async function unknownExecutions(
  sql: postgres.Sql,
  ids: readonly string[],
): Promise<string[]> {
  const wellFormed = JSON.stringify(ids.filter((id) => UUID.test(id)));
  const rows = await sql<{ id: string }[]>`
    SELECT id::text FROM fastlane.executions
    WHERE id IN (SELECT jsonb_array_elements_text(${wellFormed}::text::jsonb)::uuid)`;
  const known = new Set(rows.map(({ id }) => id));
  return ids.filter((id) => !known.has(id));
}
