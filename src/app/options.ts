import type { Config } from "../config/schema.ts";
import type { Log } from "../worker/log.ts";

/** What an app is started from. */
export interface AppOptions {
  config: Config;
  version: string;
  /** Which parts this process runs. */
  roles: { api: boolean; worker: boolean };
  log: Log;
}
