import { loadConfig } from "../../src/config/load.ts";
import type { Config } from "../../src/config/schema.ts";
import { BY_SYSTEM } from "../../src/core/audit.ts";
import { parseJsonBody } from "../../src/payload/parse.ts";
import { createToken } from "../../src/services/tokens.ts";
import { openStore, type Store } from "../../src/store/connect.ts";
import { TEST_KEY } from "./secrets.ts";
import { startApp } from "./start-app.ts";
import { type MigratedDatabase, migratedDatabase } from "./store.ts";

export const OWNER = { basicAuthUsername: "ada", basicAuthPassword: "lovelace" };

export interface Api extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  url: string;
  /** Where its metrics are besides; `null` unless that is configured. */
  metricsUrl: string | null;
  database: MigratedDatabase;
  store: Store;
  /** All that the service logged, at whatever level. */
  logged: string[];
  /** A token of a new name, with these keys over those of a viewer. */
  token(wish?: Record<string, unknown>): Promise<string>;
  /** Asks with a token, or with none. */
  ask(path: string, token?: string | null, init?: RequestInit): Promise<Response>;
}

/** The HTTP API alone, with nobody who would run what it takes; it needs no Docker. */
export async function startApi(
  config: Partial<Config> = {},
  shared?: MigratedDatabase,
): Promise<Api> {
  const database = shared ?? (await migratedDatabase());
  const logged: string[] = [];
  const note = (fields: Record<string, unknown>, event: string) => {
    logged.push(`${event} ${JSON.stringify(fields)}`);
  };
  const defaults = loadConfig({ environment: {}, flags: {}, configFile: "/dev/null" });
  const app = await startApp({
    config: { ...defaults, secretKey: TEST_KEY, port: 0, databaseUrl: database.url, ...config },
    version: "test",
    roles: { api: true, worker: false },
    log: { debug: note, info: note, warn: note, error: note },
  });
  const store = openStore({ address: database.address, max: 2 });
  const url = app.url ?? "";
  let made = 0;
  return {
    url,
    metricsUrl: app.metricsUrl,
    database,
    store,
    logged,
    async token(wish = {}) {
      made += 1;
      const name = `test-${made}-${crypto.randomUUID().slice(0, 8)}`;
      const body = parseJsonBody(JSON.stringify({ name, role: "viewer", ...wish }));
      return (await createToken(store.db, body, BY_SYSTEM)).token;
    },
    ask: (path, token = null, init = {}) =>
      fetch(url + path, {
        ...init,
        headers: {
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...init.headers,
        },
      }),
    async [Symbol.asyncDispose]() {
      await store.close();
      await app.stop();
      if (shared === undefined) await database[Symbol.asyncDispose]();
    },
  };
}

export const basic = (username: string, password: string) =>
  `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
