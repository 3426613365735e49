import { drizzle, type PostgresJsDatabase } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { type PostgresAddress, socketPathOf, tlsOptionsOf } from "./address.ts";
import { type OnDeed, tellDeeds } from "./deeds.ts";
import * as schema from "./schema.ts";
import { settleBeforeClose } from "./settled-close.ts";
import { STATEMENT_TIMEOUT_MS, watchSockets } from "./watched-socket.ts";

/** `$client` plans a statement once for each connection, which drizzle's own calls do not. */
export type Db = PostgresJsDatabase<typeof schema> & { $client: postgres.Sql };
export type Tx = Parameters<Parameters<Db["transaction"]>[0]>[0];

export interface Store {
  readonly db: Db;
  readonly sql: postgres.Sql;
  /** Is told what transactions of `db` have done. */
  readonly onDeed: OnDeed;
  /** Cuts every connection: what is under way fails, what comes next connects anew. */
  reset(why: string): void;
  close(): Promise<void>;
}

export interface StoreOptions {
  address: PostgresAddress;
  /** Connections at most. */
  max?: number;
  /** What the connections are called in `pg_stat_activity`. */
  name?: string;
  /** No limit for a statement and no watch on silence: for migrations, which may take their time. */
  patient?: boolean;
  onDeed?: OnDeed;
}

// postgres 3.4.9 sends BEGIN without reserving the connection when BEGIN is the query that fills
// the pipeline (porsager/postgres#1189): the default of 100 loses committed writes under load.
// Its types lack the option, hence the spread.
const NEVER_FULL_PIPELINE = { max_pipeline: 1_000_000 };

const CONNECT_TIMEOUT_SECONDS = 5;
const CLOSE_TIMEOUT_SECONDS = 5;

// The driver's own backoff grows to 20 s, which is long after a server of ours is back.
const retryDelaySeconds = (failures: number) => Math.min(1, 0.05 * 2 ** failures);

export function openStore(options: StoreOptions): Store {
  const { address, patient = false, onDeed = () => {} } = options;
  const sockets = watchSockets(!patient && address.tls === "off");
  const path = socketPathOf(address);
  const connection = {
    // The driver takes what `socket` gives for connected and writes at once; node keeps what is
    // written until the connection stands, and the driver then sees errors as from its own socket.
    socket: () => {
      const socket = settleBeforeClose(sockets.open());
      return path === null ? socket.connect(address.port, address.host) : socket.connect(path);
    },
    ...NEVER_FULL_PIPELINE,
  };
  const sql = postgres({
    host: address.host,
    port: address.port,
    database: address.database,
    user: address.user,
    ...(address.password === undefined ? {} : { password: address.password }),
    ssl: tlsOptionsOf(address),
    max: options.max ?? 10,
    connect_timeout: CONNECT_TIMEOUT_SECONDS,
    backoff: retryDelaySeconds,
    // Without its question for types, `reserve` of postgres 3.4.9 never resolves.
    fetch_types: patient,
    onnotice: () => {},
    connection: {
      application_name: options.name ?? "fastlane",
      ...(patient ? {} : { statement_timeout: STATEMENT_TIMEOUT_MS }),
    },
    ...connection,
  });
  return {
    db: tellDeeds(drizzle(sql, { schema }), onDeed),
    sql,
    onDeed,
    reset: sockets.destroyAll,
    close: () => sql.end({ timeout: CLOSE_TIMEOUT_SECONDS }),
  };
}
