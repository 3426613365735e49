import { assertPortFree } from "#http-server";
import { migrateDatabase, provideDatabase } from "./app/database.ts";
import { startListening } from "./app/listening.ts";
import { meter, startMetrics } from "./app/metering.ts";
import type { AppOptions } from "./app/options.ts";
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
    const live = holderOf(config);
    const { metrics, onDeed } = meter({ ...options, live }, () => store.db);
    const store = openStore({ address, onDeed });
    stops.push(() => store.close());
    await migrateDatabase(address, log);
    await addLogDays(store.db);
    const secrets = await openSecrets(options, store);
    stops.push(() => secrets.stop());
    const traces = beginTraces(options);
    stops.push(() => traces.stop());
    const hints = createHints();
    const tokenWatch = createTokenWatch(store);
    const metricsUrl = await startMetrics(config, { metrics, log }, stops);
    const parts = { store, secrets, traces, metrics };
    const working = roles.worker ? await startWorking(options, address, parts, stops) : null;
    const waiters = { ...hints, lookAgain: hints.wakeAll };
    const ears = [waiters, tokenWatch, ...(working === null ? [] : [working.worker])];
    stops.push(startListening({ address, log, ears }));
    const http = roles.api
      ? await startApi(options, live, { ...parts, hints, tokenWatch }, working, stops)
      : null;
    return {
      url: http === null ? null : `http://${config.host}:${http.port}`,
      metricsUrl,
      reload: (next) => reload(live, next, working?.worker ?? null),
      fault: () => faultOf(store, working?.queue ?? null),
      stop,
    };
  } catch (error) {
    await stop().catch(() => {});
    throw error;
  }
}
