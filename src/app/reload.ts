import { type Changes, changesOf } from "../config/changes.ts";
import type { Config } from "../config/schema.ts";
import type { Holder } from "../core/live.ts";
import { isDatabaseDown } from "../store/faults.ts";
import type { Worker, WorkerParts } from "../worker/worker.ts";

/** What of the configuration a worker goes on with after a reload. */
export function workerParts({
  dockerHosts: pools,
  hostAccess,
  registries,
  webhooks,
}: Config): WorkerParts {
  return { pools, hostAccess, registries, webhooks };
}

/**
 * Goes on with the pools, logins and webhooks of another configuration. What else has changed in it
 * stays as it was.
 *
 * @param worker `null` where this process has none.
 * @throws {Error} When it cannot be used: nothing has changed then.
 */
export async function reload(
  config: Holder<Config>,
  next: Config,
  worker: Worker | null,
): Promise<Changes> {
  const present = config.current();
  const changes = changesOf(present, next);
  try {
    await worker?.reload(workerParts(next));
  } catch (error) {
    if (!isDatabaseDown(error)) throw error;
    throw new Error("Postgres does not answer: reload again when it does", { cause: error });
  }
  const { dockerHosts, hostAccess, registries, webhooks, notices } = next;
  config.replace({ ...present, dockerHosts, hostAccess, registries, webhooks, notices });
  return changes;
}
