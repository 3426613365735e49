import { startHttpServer } from "#http-server";
import type { Config } from "../config/schema.ts";
import { messageOf } from "../core/errors.ts";
import type { Live } from "../core/live.ts";
import { createHttpApp } from "../http/app.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Secrets } from "../payload/sealed.ts";
import { createEnqueuer } from "../services/enqueuer.ts";
import type { Store } from "../store/connect.ts";
import { createExecutionWatch } from "../stream/execution-watch.ts";
import type { Hints } from "../stream/hints.ts";
import { createLogReader } from "../stream/log-reader.ts";
import { createTail } from "../stream/tail.ts";
import type { TokenWatch } from "../stream/token-watch.ts";
import type { Traces } from "../traces/traces.ts";
import type { AppOptions } from "./options.ts";
import { planOf } from "./plan.ts";
import type { Working } from "./working.ts";

export interface ApiParts {
  store: Store;
  hints: Hints;
  tokenWatch: TokenWatch;
  secrets: Secrets;
  traces: Traces;
  metrics: Metrics;
}

/** The HTTP API of this process. */
export interface Api {
  readonly port: number;
  /** Asks clients and proxies to turn to another node, and answers on. */
  leave(): void;
  stop(): Promise<void>;
}

/**
 * Starts the HTTP API.
 *
 * @param working `null` where other processes run the jobs.
 */
export async function startApi(
  { config, version, log }: AppOptions,
  live: Live<Config>,
  { store, hints, tokenWatch, secrets, traces, metrics }: ApiParts,
  working: Working | null,
): Promise<Api> {
  const { db } = store;
  const onEnqueued = (pools: readonly string[]) => working?.worker.dispatch(pools);
  const [leaving, stopping] = [new AbortController(), new AbortController()];
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
    plan: planOf(live, secrets),
    enqueuer: createEnqueuer({ ...store, dispatch: working?.worker.dispatch ?? null }),
    onEnqueued,
    traces,
    version,
    publicUrl: config.publicUrl,
    trustedProxies: config.trustedProxies,
    corsOrigins: config.corsOrigins,
    requiresAuthentication: config.requireAuthentication || basicAuthOf(config) !== null,
    basicAuth: basicAuthOf(config),
    authenticationRealm: config.basicAuthRealm,
    tokenWatch,
    retention: config.retention,
    hasMail: config.smtp !== null,
    envBlacklistedWords: config.envBlacklistedWords,
    paginationPerPage: config.paginationPerPage,
    queueIsAlive: working === null ? null : () => working.queue.isAlive(),
    leaving: leaving.signal,
    stopping: stopping.signal,
    metrics,
    log,
  });
  const server = await startHttpServer(app, config);
  return {
    port: server.port,
    leave: () => leaving.abort(),
    async stop() {
      leaving.abort();
      // Who waits for an end or follows a log is told what there is and to come again, and comes
      // to another node.
      await server.stop(() => stopping.abort());
    },
  };
}

function basicAuthOf({ basicAuthUsername, basicAuthPassword }: Config) {
  if (basicAuthUsername === undefined || basicAuthPassword === undefined) return null;
  return { username: basicAuthUsername, password: basicAuthPassword };
}
