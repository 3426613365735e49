import type { BreakerRules } from "../core/farm.ts";
import { hostsOf, type PoolRule } from "../core/pool.ts";
import type { Host, RegistryLogin } from "../farm/host.ts";
import type { Handlers } from "../queue/runner.ts";
import { fireSchedule } from "../services/fire-schedule.ts";
import type { Store } from "../store/connect.ts";
import { replaceServiceWebhooks, type ServiceWebhook } from "../store/deliveries.ts";
import { registerHosts } from "../store/hosts.ts";
import { installationId } from "../store/nodes.ts";
import type { Notification } from "../store/notify.ts";
import { type DelivererDeps, startDeliverer } from "./deliverer.ts";
import { createDispatcher } from "./dispatcher.ts";
import { type Retention, startHousekeeping } from "./housekeeping.ts";
import type { Log } from "./log.ts";
import { createLogWriter } from "./log-writer.ts";
import { type Node, startNode } from "./node.ts";
import { type SendDeps, sendDelivery } from "./send-delivery.ts";
import { startSweep, sweep as sweepOnce } from "./sweep.ts";

export interface WorkerDeps {
  store: Store;
  /** For heartbeats alone. */
  beatStore: Store;
  version: string;
  pools: readonly PoolRule[];
  registries: Readonly<Record<string, RegistryLogin>>;
  breaker: BreakerRules;
  hostLostAfterSeconds: number;
  maxLogBytes: number;
  retention: Retention;
  connectHost(name: string): Host;
  /** The queue's name for this node's runner, once it has one. */
  queuePoolId(): string | null;
  /** How the world is told, and of what by the configuration. */
  telling: Omit<SendDeps, "db"> & {
    backoff: DelivererDeps["backoff"];
    webhooks: readonly ServiceWebhook[];
  };
  log: Log;
}

/** What runs jobs in this process: the owner of hosts, and the sweep that misses nothing. */
export interface Worker {
  hear(notification: Notification): void;
  /** Notifications may have been lost: look at everything. */
  lookAgain(): void;
  /** Something new waits in these pools. */
  dispatch(pools: readonly string[]): void;
  /** What the queue's messages are handled by. */
  handlers: Handlers;
  stop(): Promise<void>;
}

export async function startWorker(deps: WorkerDeps): Promise<Worker> {
  const { store, pools, log } = deps;
  const { db } = store;
  const hosts = hostsOf(pools);
  await registerHosts(db, hosts);
  await replaceServiceWebhooks(db, deps.telling.webhooks);
  const installation = await installationId(db);
  let node: Node | null = null;
  const dispatcher = createDispatcher({
    db,
    pools,
    log,
    isOwn: (host) => node?.owns(host) ?? false,
    wake: (host) => node?.wake(host),
  });
  const dispatchTo = (host: string) => {
    for (const pool of pools) {
      if (pool.hosts.includes(host)) void dispatcher.dispatch(pool.match);
    }
  };
  const names = pools.map(({ match }) => match);
  const sweepDeps = { db, log, pools: names, dispatch: dispatcher.dispatch };
  // First of all, so that the hosts of a node that died on this machine are free by the first beat.
  await sweepOnce(sweepDeps);
  const sweep = startSweep(sweepDeps);
  const housekeeping = startHousekeeping({ db, log, retention: deps.retention });
  node = startNode({
    ...deps,
    installation,
    hosts,
    logWriter: createLogWriter(db),
    onReachable: dispatchTo,
    onEnded: (pool) => void dispatcher.dispatch(pool),
  });
  const deliverer = startDeliverer({
    db,
    log,
    backoff: deps.telling.backoff,
    send: (delivery, signal) => sendDelivery({ db, ...deps.telling }, delivery, signal),
  });
  return {
    hear(notification) {
      if (notification.about === "delivery") deliverer.hurry();
      if (notification.about === "host") node?.wake(notification.host);
      if (notification.about === "lease") node?.lookForHosts();
    },
    lookAgain() {
      node?.wakeAll();
      deliverer.hurry();
    },
    dispatch(names) {
      for (const pool of names) dispatcher.hurry(pool);
    },
    handlers: {
      dispatch: ({ pool }) => dispatcher.dispatch(pool),
      async fire({ jobId }) {
        for (const pool of await fireSchedule(db, pools, jobId)) void dispatcher.dispatch(pool);
      },
    },
    async stop() {
      await Promise.all([sweep.stop(), housekeeping.stop()]);
      await node?.stop();
      await deliverer.stop();
    },
  };
}
