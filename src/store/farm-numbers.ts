import type { Db } from "./connect.ts";
import { LEASE_SECONDS } from "./hosts.ts";

/** What the rows tell of the installation in numbers; see the metrics for what each means. */
export interface FarmNumbers {
  nodes: number;
  waiting: { pool: string; waiting: number; oldestSeconds: number }[];
  running: { pool: string; host: string; status: string; count: number }[];
  hosts: {
    host: string;
    isOwned: boolean;
    isUp: boolean;
    isBlacklisted: boolean;
    circuit: string;
    failures: number;
  }[];
  deliveries: { kind: string; waiting: number; overdueSeconds: number }[];
  connections: { application: string; state: string; count: number }[];
  maxConnections: number;
  databaseBytes: number;
}

/**
 * In one statement, over the indexes of what has not ended: what has ended, however much it is,
 * costs nothing.
 *
 * @param hosts Names of the configuration; one without a row is told of too.
 */
export async function farmNumbers(db: Db, hosts: readonly string[]): Promise<FarmNumbers> {
  const [row] = await db.$client<FarmNumbers[]>`
    WITH of_pools AS (
      SELECT pool, count(*)::int AS waiting,
        coalesce(extract(epoch FROM now() - min(available_at) FILTER (WHERE available_at <= now())), 0)
          ::float8 AS "oldestSeconds"
      FROM fastlane.executions WHERE status = 'enqueued' GROUP BY pool
    ), on_hosts AS (
      SELECT pool, host, status, count(*)::int AS count FROM fastlane.executions
      WHERE status IN ('pulling', 'running') GROUP BY pool, host, status
    ), of_hosts AS (
      SELECT wanted.name AS host, coalesce(lease_expires_at > clock_timestamp(), false) AS "isOwned",
        coalesce(reachable AND lease_expires_at > clock_timestamp(), false) AS "isUp",
        blacklisted_at IS NOT NULL AS "isBlacklisted", coalesce(circuit, 'closed') AS circuit,
        coalesce(failures, 0) AS failures
      FROM jsonb_array_elements_text(${JSON.stringify(hosts)}::text::jsonb) AS wanted (name)
      LEFT JOIN fastlane.hosts ON hosts.name = wanted.name
    ), to_send AS (
      SELECT kinds.kind, count(due_at)::int AS waiting,
        greatest(0, coalesce(extract(epoch FROM now() - min(due_at)), 0))::float8 AS "overdueSeconds"
      FROM (VALUES ('webhook'), ('mail')) AS kinds (kind)
      LEFT JOIN fastlane.deliveries ON deliveries.kind = kinds.kind AND status = 'waiting'
      GROUP BY kinds.kind
    ), connected AS (
      SELECT application_name AS application, coalesce(state, 'unknown') AS state, count(*)::int AS count
      FROM pg_stat_activity
      WHERE datname = current_database() AND application_name LIKE 'fastlane%'
      GROUP BY application_name, coalesce(state, 'unknown')
    )
    SELECT
      (SELECT count(*)::int FROM fastlane.nodes
        WHERE heartbeat_at > now() - make_interval(secs => ${LEASE_SECONDS}::int)) AS nodes,
      (SELECT coalesce(jsonb_agg(of_pools), '[]') FROM of_pools) AS waiting,
      (SELECT coalesce(jsonb_agg(on_hosts), '[]') FROM on_hosts) AS running,
      (SELECT coalesce(jsonb_agg(of_hosts), '[]') FROM of_hosts) AS hosts,
      (SELECT coalesce(jsonb_agg(to_send), '[]') FROM to_send) AS deliveries,
      (SELECT coalesce(jsonb_agg(connected), '[]') FROM connected) AS connections,
      current_setting('max_connections')::int AS "maxConnections",
      pg_database_size(current_database())::float8 AS "databaseBytes"`;
  if (row === undefined) throw new Error("Postgres told nothing of the farm");
  return row;
}
