import { startListening } from "./app/listening.ts";
import { planOf } from "./app/plan.ts";
import { reload, workerParts } from "./app/reload.ts";
import type { Changes } from "./config/changes.ts";
import type { Config } from "./config/schema.ts";
import { messageOf } from "./core/errors.ts";
import { holderOf, type Live } from "./core/live.ts";
import { managerOf } from "./core/swarm-name.ts";
import { runningPostgresUrl } from "./embedded/running.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "./embedded/server.ts";
import { dockerHost } from "./farm/docker-host.ts";
import { swarmHost } from "./farm/swarm-host.ts";
import { createHttpApp } from "./http/app.ts";
import { assertPortFree, type HttpServer, startHttpServer } from "./http/server.ts";
import { migrateQueue, type Queue, startQueue } from "./queue/runner.ts";
import { createEnqueuer } from "./services/enqueuer.ts";
import { type PostgresAddress, parsePostgresUrl } from "./store/address.ts";
import { openStore, type Store } from "./store/connect.ts";
import { connectFault } from "./store/faults.ts";
import { addLogDays } from "./store/log-days.ts";
import { migrate } from "./store/migrate.ts";
import { createExecutionWatch } from "./stream/execution-watch.ts";
import { createHints, type Hints } from "./stream/hints.ts";
import { createLogReader } from "./stream/log-reader.ts";
import { createTail } from "./stream/tail.ts";
import { createTokenWatch, type TokenWatch } from "./stream/token-watch.ts";
import type { Log } from "./worker/log.ts";
import { startWorker, type Worker } from "./worker/worker.ts";

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
  /**
   * Goes on with the pools, logins and webhooks of another configuration; what else has changed in
   * it counts from the next start on. One at a time.
   *
   * @throws {Error} When it cannot be used: nothing has changed then.
   */
  reload(next: Config): Promise<Changes>;
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
    await addLogDays(store.db);
    const hints = createHints();
    const tokenWatch = createTokenWatch(store);
    const working = roles.worker ? await startWorking(options, address, store, stops) : null;
    const waiters = { ...hints, lookAgain: hints.wakeAll };
    const ears = [waiters, tokenWatch, ...(working === null ? [] : [working.worker])];
    stops.push(startListening({ address, log, ears }));
    const live = holderOf(config);
    const http = roles.api
      ? startApi(options, live, store, { hints, tokenWatch }, working, stops)
      : null;
    return {
      url: http === null ? null : `http://${config.host}:${http.port}`,
      reload: (next) => reload(live, next, working?.worker ?? null),
      stop,
    };
  } catch (error) {
    await stop().catch(() => {});
    throw error;
  }
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
  options: Pick<AppOptions, "config" | "log">,
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

interface Working {
  worker: Worker;
  queue: Queue;
}

async function startWorking(
  { config, version, log }: AppOptions,
  address: PostgresAddress,
  store: Store,
  stops: (() => Promise<void>)[],
): Promise<Working> {
  let queue: Queue | null = null;
  const beatStore = openStore({ address, max: 1, name: "fastlane heartbeat" });
  stops.push(() => beatStore.close());
  const worker = await startWorker({
    store,
    beatStore,
    version,
    ...workerParts(config),
    breaker: {
      maxFails: config.dockerCircuitBreakerMaxFails,
      resetTimeoutSeconds: config.dockerCircuitBreakerResetTimeoutSeconds,
    },
    hostLostAfterSeconds: config.hostLostAfterSeconds,
    telling: {
      webhooksAllowPrivate: config.webhooksAllowPrivate,
      userAgent: `fastlane/${version}`,
      backoff: {
        minMs: config.webhooksExponentialBackoffMinMs,
        factor: config.webhooksExponentialBackoffFactor,
      },
      smtp: config.smtp,
      baseUrl: config.publicUrl?.replace(/\/+$/, "") ?? ownUrl(config),
    },
    maxLogBytes: config.maxLogBytes,
    retention: config.retention,
    connectHost(name, access) {
      const { hostLostAfterSeconds } = config;
      return managerOf(name) === null
        ? dockerHost(name, access)
        : swarmHost(name, { access, hostLostAfterSeconds });
    },
    queuePoolId: () => queue?.poolId() ?? null,
    log,
  });
  stops.push(() => worker.stop());
  queue = startQueue({
    address,
    handlers: worker.handlers,
    log: (level, text, details) => log[level](details ?? {}, text),
  });
  stops.push(queue.stop);
  return { worker, queue };
}

function startApi(
  { config, version, log }: AppOptions,
  live: Live<Config>,
  store: Store,
  { hints, tokenWatch }: { hints: Hints; tokenWatch: TokenWatch },
  working: Working | null,
  stops: (() => Promise<void>)[],
): HttpServer {
  const { db } = store;
  const onEnqueued = (pools: readonly string[]) => working?.worker.dispatch(pools);
  const stopping = new AbortController();
  const app = createHttpApp({
    db,
    hints,
    logs: createLogReader({ db, hints }),
    watch: createExecutionWatch({ db, hints }),
    tail: createTail({
      db,
      hints,
      onFault: (error) => log.error({ error: messageOf(error) }, "could not go on with tails"),
    }),
    plan: planOf(live),
    enqueuer: createEnqueuer({ ...store, dispatch: working?.worker.dispatch ?? null }),
    onEnqueued,
    version,
    publicUrl: config.publicUrl,
    trustedProxies: config.trustedProxies,
    corsOrigins: config.corsOrigins,
    requiresAuthentication: config.requireAuthentication || basicAuthOf(config) !== null,
    basicAuth: basicAuthOf(config),
    authenticationRealm: config.basicAuthRealm,
    tokenWatch,
    hasMail: config.smtp !== null,
    envBlacklistedWords: config.envBlacklistedWords,
    paginationPerPage: config.paginationPerPage,
    queueIsAlive: working === null ? null : () => working.queue.isAlive(),
    stopping: stopping.signal,
    log,
  });
  const server = startHttpServer(app, config);
  stops.push(async () => {
    // Who waits for an end or follows a log is told what there is, and answered.
    stopping.abort();
    await server.stop();
  });
  return server;
}

function basicAuthOf({ basicAuthUsername, basicAuthPassword }: Config) {
  if (basicAuthUsername === undefined || basicAuthPassword === undefined) return null;
  return { username: basicAuthUsername, password: basicAuthPassword };
}

/** Where it can be reached on this machine, as far as nothing better is configured. */
function ownUrl({ host, port }: Pick<Config, "host" | "port">): string {
  const isEverywhere = host === "0.0.0.0" || host === "::";
  const name = isEverywhere ? "localhost" : host.includes(":") ? `[${host}]` : host;
  return `http://${name}:${port}`;
}
