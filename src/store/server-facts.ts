import type postgres from "postgres";

/** What a Postgres says of itself. */
export interface ServerFacts {
  /** `180004` is 18.4. */
  versionNumber: number;
  version: string;
  isReplica: boolean;
  isReadOnly: boolean;
  fsync: boolean;
  fullPageWrites: boolean;
  synchronousCommit: string;
  autovacuum: boolean;
  sharedBuffersBytes: number;
  /** Sessions that this user may have in this database. */
  sessions: number;
  /** Sessions of others than fastlane. */
  othersSessions: number;
  /** How long the oldest transaction of this database has been open. */
  oldestTransactionSeconds: number;
  /** Its clock, in milliseconds since 1970. */
  clock: number;
}

/** Whoever is no administrator does not see the state of others' sessions; what he sees is counted. */
export async function serverFacts(sql: postgres.Sql): Promise<ServerFacts> {
  const [row] = await sql<[ServerFacts]>`
    SELECT current_setting('server_version_num')::int AS "versionNumber",
      current_setting('server_version') AS version,
      pg_is_in_recovery() AS "isReplica",
      current_setting('transaction_read_only') = 'on' AS "isReadOnly",
      current_setting('fsync') = 'on' AS fsync,
      current_setting('full_page_writes') = 'on' AS "fullPageWrites",
      current_setting('synchronous_commit') AS "synchronousCommit",
      current_setting('autovacuum') = 'on' AS autovacuum,
      pg_size_bytes(current_setting('shared_buffers'))::float8 AS "sharedBuffersBytes",
      least(
        current_setting('max_connections')::int
          - current_setting('superuser_reserved_connections')::int
          - coalesce(current_setting('reserved_connections', true)::int, 0),
        (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database()),
        (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user)
      ) AS sessions,
      (SELECT count(*)::int FROM pg_stat_activity
        WHERE datid IS NOT NULL AND application_name NOT LIKE 'fastlane%'
          AND coalesce(backend_type, 'client backend') = 'client backend') AS "othersSessions",
      coalesce((SELECT max(extract(epoch FROM clock_timestamp() - xact_start))::float8
        FROM pg_stat_activity
        WHERE datname = current_database() AND backend_type = 'client backend'
          AND pid <> pg_backend_pid()), 0) AS "oldestTransactionSeconds",
      (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS clock`;
  if (row === undefined) throw new Error("Postgres says nothing of itself");
  return row;
}

export interface SizeFacts {
  databaseBytes: number;
  logBytes: number;
  /** On average, over those of the last seven whole days that have any. */
  logBytesADay: number;
  /** Tables of ours with more dead rows than live ones, and many of them. */
  bloated: { name: string; dead: number }[];
}

const MANY_DEAD_ROWS = 100_000;

export async function sizeFacts(sql: postgres.Sql): Promise<SizeFacts> {
  const [row] = await sql<[SizeFacts]>`
    WITH days AS (
      SELECT relname, pg_total_relation_size(inhrelid)::float8 AS bytes
      FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
      WHERE inhparent = to_regclass('fastlane.log_chunks')
    ),
    lately AS (
      SELECT bytes FROM days WHERE relname IN (
        SELECT 'log_chunks_' || to_char((now() AT TIME ZONE 'UTC')::date - ago, 'YYYYMMDD')
        FROM generate_series(1, 7) AS ago
      )
    )
    SELECT pg_database_size(current_database())::float8 AS "databaseBytes",
      coalesce((SELECT sum(bytes) FROM days), 0) AS "logBytes",
      coalesce((SELECT avg(bytes) FROM lately), 0) AS "logBytesADay",
      coalesce((
        SELECT jsonb_agg(jsonb_build_object('name', schemaname || '.' || relname, 'dead', n_dead_tup))
        FROM pg_stat_user_tables
        WHERE schemaname IN ('fastlane', 'graphile_worker')
          AND n_dead_tup > greatest(n_live_tup, ${MANY_DEAD_ROWS})
      ), '[]') AS bloated`;
  if (row === undefined) throw new Error("Postgres says nothing of its sizes");
  return row;
}

/** How long each of some questions took that need nothing but the way, in milliseconds. */
export async function roundTripsMs(sql: postgres.Sql, count: number): Promise<number[]> {
  return await timed(count, () => sql`SELECT 1`);
}

/** The same for commits that have to be on disk. They leave nothing in any table. */
export async function commitsMs(sql: postgres.Sql, count: number): Promise<number[]> {
  return await timed(count, () => sql`SELECT pg_logical_emit_message(true, 'fastlane doctor', '')`);
}

async function timed(count: number, ask: () => PromiseLike<unknown>): Promise<number[]> {
  const took: number[] = [];
  for (let done = 0; done < count; done++) {
    const begin = performance.now();
    await ask();
    took.push(performance.now() - begin);
  }
  return took;
}

/**
 * Whether a session that listens hears what another one notifies it of: behind a pooler that gives
 * sessions out by the transaction it does not.
 */
export async function hearsNotifications(sql: postgres.Sql, withinMs: number): Promise<boolean> {
  const word = crypto.randomUUID();
  const heard = Promise.withResolvers<boolean>();
  const late = setTimeout(() => heard.resolve(false), withinMs);
  try {
    const listening = sql.listen("fastlane_doctor", (payload) => {
      if (payload === word) heard.resolve(true);
    });
    listening.catch((error: unknown) => heard.reject(error));
    const begun = await Promise.race([listening, heard.promise]);
    if (begun !== false) await sql`SELECT pg_notify('fastlane_doctor', ${word})`;
    return await heard.promise;
  } finally {
    clearTimeout(late);
  }
}
