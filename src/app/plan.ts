import type { Config } from "../config/schema.ts";
import type { Live } from "../core/live.ts";
import type { Secrets } from "../payload/sealed.ts";
import type { PlanDeps } from "../services/job-plan.ts";

/** What decides about payloads. Its pools and logins are those of the moment in which they are read. */
export function planOf(config: Live<Config>, secrets: Secrets): PlanDeps {
  const { hardExecutionTimeoutSeconds, exponentialBackoffMinMs, exponentialBackoffFactor } =
    config.current();
  return {
    secrets,
    get pools() {
      return config.current().dockerHosts;
    },
    get registries() {
      const logins = Object.entries(config.current().registries);
      return Object.fromEntries(logins.map(([name, { registry }]) => [name, registry]));
    },
    defaults: {
      hardTimeoutSeconds: hardExecutionTimeoutSeconds,
      backoff: { minMs: exponentialBackoffMinMs, factor: exponentialBackoffFactor },
    },
  };
}
