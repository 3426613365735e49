import type { Config } from "./config/schema.ts";
import { stackOf } from "./core/errors.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "./embedded/server.ts";
import { dockerHost } from "./farm/docker-host.ts";
import { createHttpApp } from "./http/app.ts";
import { assertPortFree, type HttpServer, startHttpServer } from "./http/server.ts";
import { migrateQueue, type Queue, startQueue } from "./queue/runner.ts";
import { type PostgresAddress, parsePostgresUrl } from "./store/address.ts";
import { openStore, type Store } from "./store/connect.ts";
import { migrate } from "./store/migrate.ts";
import { type Listener, startListener } from "./stream/listener.ts";
import type { Log } from "./worker/log.ts";
import { startWorker, type Worker, workerHandlers } from "./worker/worker.ts";

export interface AppOptions {
  config: Config;
  version: string;
  /** Which parts this process runs. */
  roles: { api: boolean; worker: boolean };
  log: Log;
}

export interface App {
  /** Where the API listens; `null` when this process has none. */
  readonly url: string | null;
  /** Stops in the reverse order of the start. Containers run on, for the next owner to adopt. */
  stop(): Promise<void>;
}

/** The one place that builds the parts and starts them, each when what it needs is there. */
export async function startApp(options: AppOptions): Promise<App> {
  const { config, roles, log } = options;
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const part of stops.splice(0).reverse()) await part();
  };
  try {
    if (roles.api) await assertPortFree(config);
    const address = await provideDatabase(options, stops);
    const store = openStore({ address });
    stops.push(() => store.close());
    await migrateDatabase(address, log);
    const queue = roles.worker ? await startWorking(options, address, store, stops) : null;
    const http = roles.api ? startApi(options, store, queue, stops) : null;
    return { url: http === null ? null : `http://${config.host}:${http.port}`, stop };
  } catch (error) {
    await stop().catch(() => {});
    throw error;
  }
}

/** Applies what is missing of the schema, and the queue's own. */
export async function migrateDatabase(address: PostgresAddress, log: Log): Promise<void> {
  const made = await migrate({ address, migrateQueue: () => migrateQueue(address) });
  if (made.length > 0) log.info({ migrations: made }, "migrated the database");
}

/** The configured Postgres, or the embedded one, which then lives as long as this process. */
export async function provideDatabase(
  { config, log }: Pick<AppOptions, "config" | "log">,
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

async function startWorking(
  { config, version, log }: AppOptions,
  address: PostgresAddress,
  store: Store,
  stops: (() => Promise<void>)[],
): Promise<Queue> {
  const pools = config.dockerHosts;
  const queue: Queue = startQueue({
    address,
    handlers: workerHandlers({ store, pools, log }),
    log: (level, text, details) => log[level](details ?? {}, text),
  });
  stops.push(() => queue.stop());
  const worker: Worker = await startWorker({
    store,
    version,
    pools,
    connectHost: dockerHost,
    queuePoolId: () => queue.poolId(),
    log,
  });
  stops.push(() => worker.stop());
  const listener: Listener = startListener({
    address,
    onNotification: worker.hear,
    onListening: worker.lookAgain,
    log: (text, details) => log.warn(details, text),
  });
  stops.push(() => listener.stop());
  return queue;
}

function startApi(
  { config, version, log }: AppOptions,
  store: Store,
  queue: Queue | null,
  stops: (() => Promise<void>)[],
): HttpServer {
  const app = createHttpApp({
    db: store.db,
    pools: config.dockerHosts,
    version,
    publicUrl: config.publicUrl,
    trustedProxies: config.trustedProxies,
    envBlacklistedWords: config.envBlacklistedWords,
    paginationPerPage: config.paginationPerPage,
    queueIsAlive: queue === null ? null : () => queue.isAlive(),
    onBug: (error, request) => log.error({ ...request, error: stackOf(error) }, "bug"),
  });
  const server = startHttpServer(app, config);
  stops.push(() => server.stop());
  return server;
}
