import type { Config } from "../config/schema.ts";
import { runningPostgresUrl } from "../embedded/running.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../embedded/server.ts";
import { migrateQueue } from "../queue/runner.ts";
import { type PostgresAddress, parsePostgresUrl } from "../store/address.ts";
import { connectFault } from "../store/faults.ts";
import { migrate } from "../store/migrate.ts";
import type { Log } from "../worker/log.ts";

/** What a database is found by. */
export interface DatabaseOptions {
  config: Config;
  log: Log;
}

/** Applies what is missing of the schema, and the queue's own. */
export async function migrateDatabase(address: PostgresAddress, log: Log): Promise<void> {
  const made = await migrate({ address, migrateQueue: () => migrateQueue(address) }).catch(
    (error: unknown) => {
      throw connectFault(error, address);
    },
  );
  if (made.length > 0) log.info({ migrations: made }, "migrated the database");
}

/**
 * The database of an installation, whether it runs or not: a process beside this one may have the
 * embedded Postgres running, and else it runs until `stops`.
 */
export async function reachDatabase(
  options: DatabaseOptions,
  stops: (() => Promise<void>)[],
): Promise<PostgresAddress> {
  const { config } = options;
  const isEmbedded = config.databaseUrl === undefined;
  const running = isEmbedded ? await runningPostgresUrl(config.dataDir) : null;
  if (running !== null) return parsePostgresUrl(running);
  const address = await provideDatabase(options, stops);
  await migrateDatabase(address, options.log);
  return address;
}

/** The configured Postgres, or the embedded one, which then lives as long as this process. */
export async function provideDatabase(
  { config, log }: DatabaseOptions,
  stops: (() => Promise<void>)[],
): Promise<PostgresAddress> {
  if (config.databaseUrl !== undefined) return parsePostgresUrl(config.databaseUrl);
  const embedded: EmbeddedPostgres = await startEmbeddedPostgres({
    dataDir: config.dataDir,
    log: (message, details) => log.info(details ?? {}, message),
  });
  stops.push(() => embedded.stop());
  return parsePostgresUrl(embedded.url);
}
