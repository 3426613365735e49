import { startHttpServer } from "#http-server";
import { createHttpApp } from "../../src/http/app.ts";
import type { HttpDeps } from "../../src/http/context.ts";
import { createMetrics } from "../../src/metrics/metrics.ts";
import { type Db, openStore } from "../../src/store/connect.ts";
import { createHints, type Hints } from "../../src/stream/hints.ts";
import { createLogReader } from "../../src/stream/log-reader.ts";
import type { MigratedDatabase } from "./store.ts";

export interface LogServer extends AsyncDisposable {
  url: string;
  /** Nobody else wakes its followers. */
  hints: Hints;
  /** As the server is told that it is to stop. */
  stopping: AbortController;
  /** How often the store was read. */
  reads(): number;
  /** How often a follower asked for what comes next. */
  asks(): number;
}

/** The routes of logs alone over real sockets, on a database of which the reads are counted. */
export async function startLogServer(database: MigratedDatabase): Promise<LogServer> {
  const store = openStore({ address: database.address });
  const [hints, stopping] = [createHints(), new AbortController()];
  let [reads, asks] = [0, 0];
  const db = new Proxy(store.db, {
    get(target, key) {
      if (key === "execute") reads += 1;
      return Reflect.get(target, key);
    },
  }) as Db;
  const reader = createLogReader({ db, hints });
  const logs: HttpDeps["logs"] = {
    next(executionId, after) {
      asks += 1;
      return reader.next(executionId, after);
    },
  };
  const log = { debug() {}, warn: console.error, error: console.error };
  const deps = {
    db,
    hints,
    logs,
    leaving: new AbortController().signal,
    // Nobody scrapes it.
    metrics: createMetrics({ version: "test", pools: () => [], numbers: () => Promise.reject() }),
    stopping: stopping.signal,
    corsOrigins: [],
    basicAuth: null,
    log,
  };
  const app = createHttpApp(deps as unknown as HttpDeps);
  const server = await startHttpServer(app, {
    host: "127.0.0.1",
    port: 0,
    reusePort: false,
    inheritedSocket: null,
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    hints,
    stopping,
    reads: () => reads,
    asks: () => asks,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await server.stop(() => {});
      await store.close();
    },
  };
}
