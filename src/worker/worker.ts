import { messageOf } from "../core/errors.ts";
import { hostsOf, type PoolRule } from "../core/pool.ts";
import type { Host } from "../farm/host.ts";
import type { Handlers } from "../queue/runner.ts";
import { dispatchPool } from "../services/dispatch-pool.ts";
import type { Store } from "../store/connect.ts";
import { isDatabaseDown } from "../store/faults.ts";
import { registerHosts } from "../store/hosts.ts";
import { installationId } from "../store/nodes.ts";
import type { Notification } from "../store/notify.ts";
import type { Log } from "./log.ts";
import { startNode } from "./node.ts";
import { startSweep, sweep as sweepOnce } from "./sweep.ts";

export interface WorkerDeps {
  store: Store;
  version: string;
  pools: readonly PoolRule[];
  connectHost(name: string): Host;
  /** The queue's name for this node's runner, once it has one. */
  queuePoolId(): string | null;
  log: Log;
}

/** What runs jobs in this process: the owner of hosts, and the sweep that misses nothing. */
export interface Worker {
  hear(notification: Notification): void;
  /** Notifications may have been lost: look at everything. */
  lookAgain(): void;
  stop(): Promise<void>;
}

export async function startWorker(deps: WorkerDeps): Promise<Worker> {
  const { store, pools, log } = deps;
  const hosts = hostsOf(pools);
  await registerHosts(store.db, hosts);
  const installation = await installationId(store.db);
  const dispatchTo = (host: string) => {
    for (const pool of pools) {
      if (pool.hosts.includes(host)) void dispatchQuietly(deps, pool);
    }
  };
  // First of all, so that the hosts of a node that died on this machine are free by the first beat.
  await sweepOnce({ db: store.db, pools, log });
  const sweep = startSweep({ db: store.db, pools, log });
  const node = startNode({ ...deps, installation, hosts, onReachable: dispatchTo });
  return {
    hear(notification) {
      if (notification.about === "host") node.wake(notification.host);
    },
    lookAgain: node.wakeAll,
    async stop() {
      await sweep.stop();
      await node.stop();
    },
  };
}

/** The handlers of the queue's messages. */
export function workerHandlers(deps: Pick<WorkerDeps, "store" | "pools" | "log">): Handlers {
  return {
    async dispatch({ pool: name }) {
      // A pool that this node's configuration does not know is another node's to serve.
      const pool = deps.pools.find(({ match }) => match === name);
      if (pool !== undefined) await dispatchQuietly(deps, pool);
    },
  };
}

/** A dispatch that fails because Postgres is away is made up for by the sweep. */
async function dispatchQuietly(
  { store, log }: Pick<WorkerDeps, "store" | "log">,
  pool: PoolRule,
): Promise<void> {
  try {
    await dispatchPool(store.db, pool);
  } catch (error) {
    if (!isDatabaseDown(error)) {
      log.error({ pool: pool.match, error: messageOf(error) }, "dispatch failed");
    }
  }
}
