import { assertPortFree } from "#http-server";
import { migrateDatabase, provideDatabase } from "./app/database.ts";
import { end, type Started } from "./app/ending.ts";
import { startListening } from "./app/listening.ts";
import { meter, startMetrics } from "./app/metering.ts";
import type { AppOptions } from "./app/options.ts";
import { urlOf } from "./app/own-url.ts";
import { reload } from "./app/reload.ts";
import { openSecrets } from "./app/secrets.ts";
import { startApi } from "./app/serving.ts";
import { beginTraces } from "./app/tracing.ts";
import { faultOf } from "./app/wellness.ts";
import { startWorking } from "./app/working.ts";
import type { Changes } from "./config/changes.ts";
import type { Config } from "./config/schema.ts";
import { holderOf } from "./core/live.ts";
import { openStore } from "./store/connect.ts";
import { addLogDays } from "./store/log-days.ts";
import { createHints } from "./stream/hints.ts";
import { createTokenWatch } from "./stream/token-watch.ts";

export interface App {
  /** Where the API listens; `null` when this process has none. */
  readonly url: string | null;
  /** Where its metrics are besides the API; `null` when they have no listener of their own. */
  readonly metricsUrl: string | null;
  /**
   * Goes on with the pools, logins and webhooks of another configuration; what else has changed in
   * it counts from the next start on. One at a time.
   *
   * @throws {Error} When it cannot be used: nothing has changed then.
   */
  reload(next: Config): Promise<Changes>;
  /** What is wrong with it, as a sentence; `null` when it works, or waits for Postgres. */
  fault(): Promise<string | null>;
  /**
   * Stops within 10 s, whatever hangs. Containers run on, for the next owner to adopt.
   *
   * @param delayMs For how long the API answers on, so that clients turn to another node.
   */
  stop(delayMs?: number): Promise<void>;
}

/** The one place that builds the parts and starts them, each when what it needs is there. */
export async function startApp(options: AppOptions): Promise<App> {
  const { config, roles, log } = options;
  const started: Started = { api: null, working: null, connections: [], postgres: [] };
  const { connections } = started;
  let stopped: Promise<void> | null = null;
  const stop = (delayMs = 0) => {
    stopped ??= end(started, log, delayMs);
    return stopped;
  };
  try {
    if (roles.api) await assertPortFree(config);
    const address = await provideDatabase(options, started.postgres);
    const live = holderOf(config);
    const { metrics, onDeed } = meter({ ...options, live }, () => store.db);
    const store = openStore({ address, onDeed });
    connections.push({ part: "store", close: () => store.close() });
    await migrateDatabase(address, log);
    await addLogDays(store.db);
    const secrets = await openSecrets(options, store);
    connections.push({ part: "secrets", close: () => secrets.stop() });
    const traces = beginTraces(options);
    const hints = createHints();
    const tokenWatch = createTokenWatch(store);
    const metricsUrl = await startMetrics(config, { metrics, log }, connections);
    const parts = { store, secrets, traces, metrics };
    const working = roles.worker ? await startWorking(options, address, parts, connections) : null;
    started.working = working;
    const waiters = { ...hints, lookAgain: hints.wakeAll };
    const ears = [waiters, tokenWatch, ...(working === null ? [] : [working.worker])];
    connections.push({ part: "listener", close: startListening({ address, log, ears }) });
    // Ended first: while Postgres hangs, the others take all the time that there is.
    connections.push({ part: "traces", close: () => traces.stop() });
    const waiting = { ...parts, hints, tokenWatch };
    started.api = roles.api ? await startApi(options, live, waiting, working) : null;
    return {
      url: started.api === null ? null : urlOf(config.host, started.api.port),
      metricsUrl,
      reload: (next) => reload(live, next, working?.worker ?? null),
      fault: () => faultOf(store, working?.queue ?? null),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
