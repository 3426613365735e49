import type { Changes } from "../../src/config/changes.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { Config } from "../../src/config/schema.ts";
import type { Log } from "../../src/worker/log.ts";
import { testEngine } from "./engine.ts";
import { TEST_KEY } from "./secrets.ts";
import { startApp } from "./start-app.ts";
import { type MigratedDatabase, migratedDatabase } from "./store.ts";

export interface TestApp extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  url: string;
  database: MigratedDatabase;
  /** What the service logged at level `warn` and above. */
  complaints: string[];
  /** As a node does at SIGTERM. */
  stop(delayMs: number): Promise<void>;
  /** Goes on with a configuration that has these keys in place of what it was started with. */
  reload(keys: Partial<Config>): Promise<Changes>;
}

export interface TestAppOptions {
  /** Keys of the configuration that go over the test's own. */
  config?: Partial<Config>;
  /** Another app's database; its own else. */
  database?: MigratedDatabase;
  roles?: { api: boolean; worker: boolean };
}

/** The whole service in this process, on a free port, with a database of its own. */
export async function startTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const database = options.database ?? (await migratedDatabase());
  const { host } = await testEngine();
  const defaults = loadConfig({ environment: {}, flags: {}, configFile: "/dev/null" });
  const config = {
    ...defaults,
    secretKey: TEST_KEY,
    port: 0,
    databaseUrl: database.url,
    dockerHosts: [{ match: "", hosts: [host], maxRunning: 20 }],
    ...options.config,
  };
  const complaints: string[] = [];
  const complain = (fields: Record<string, unknown>, event: string) => {
    complaints.push(`${event} ${JSON.stringify(fields)}`);
  };
  const log: Log = { debug() {}, info() {}, warn: complain, error: complain };
  const app = await startApp({
    config,
    version: "test",
    roles: options.roles ?? { api: true, worker: true },
    log,
  });
  return {
    url: app.url ?? "",
    database,
    complaints,
    stop: app.stop,
    reload: (keys) => app.reload({ ...config, ...keys }),
    async [Symbol.asyncDispose]() {
      await app.stop();
      if (options.database === undefined) await database[Symbol.asyncDispose]();
    },
  };
}
