import type { BreakerRules } from "../core/farm.ts";
import type { HostAccess } from "../core/host-access.ts";
import { holderOf } from "../core/live.ts";
import { hostsOf, type PoolRule } from "../core/pool.ts";
import type { Host, RegistryLogin } from "../farm/host.ts";
import type { Secrets } from "../payload/sealed.ts";
import type { Handlers } from "../queue/runner.ts";
import { fireSchedule } from "../services/fire-schedule.ts";
import type { Retention } from "../services/prune.ts";
import { releaseEmptyHost } from "../services/release-host.ts";
import type { Db, Store } from "../store/connect.ts";
import { replaceServiceWebhooks, type ServiceWebhook } from "../store/deliveries.ts";
import { registerHosts } from "../store/hosts.ts";
import { installationId } from "../store/nodes.ts";
import type { Notification } from "../store/notify.ts";
import type { Traces } from "../traces/traces.ts";
import { type DelivererDeps, startDeliverer } from "./deliverer.ts";
import { createDispatcher } from "./dispatcher.ts";
import { startHousekeeping } from "./housekeeping.ts";
import type { Log } from "./log.ts";
import { createLogWriter } from "./log-writer.ts";
import type { WorkerMetrics } from "./metrics.ts";
import { type Node, startNode } from "./node.ts";
import { startSealing } from "./sealing.ts";
import { type SendDeps, sendDelivery } from "./send-delivery.ts";
import { namedWebhooks, writtenWebhooks } from "./service-webhooks.ts";
import { startSweep, sweep as sweepOnce } from "./sweep.ts";
import { traceEnd } from "./trace-end.ts";

/** What a reload gives anew. */
export interface WorkerParts {
  pools: readonly PoolRule[];
  /** By the name of the host, or of the swarm's manager. */
  hostAccess: Readonly<Record<string, HostAccess>>;
  registries: Readonly<Record<string, RegistryLogin>>;
  /** Of what the configuration tells the world. */
  webhooks: readonly ServiceWebhook[];
}

export interface WorkerDeps extends WorkerParts {
  store: Store;
  secrets: Secrets;
  /** Resolves when rows may be sealed. */
  sealing: Promise<void>;
  /** For heartbeats alone. */
  beatStore: Store;
  version: string;
  breaker: BreakerRules;
  hostLostAfterSeconds: number;
  traces: Traces;
  maxLogBytes: number;
  retention: Retention;
  connectHost(name: string, access: HostAccess | undefined): Host;
  /** The queue's name for this node's runner, once it has one. */
  queuePoolId(): string | null;
  /** How the world is told. */
  telling: Omit<SendDeps, "db" | "keyring" | "webhooks" | "traces"> & {
    backoff: DelivererDeps["backoff"];
  };
  metrics: WorkerMetrics;
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
  /**
   * Goes on with other pools, logins and webhooks. Resolves when nothing is given to a host any more
   * by what was before.
   *
   * @throws {Error} When they cannot be used or written: nothing has changed then.
   */
  reload(parts: WorkerParts): Promise<void>;
  stop(): Promise<void>;
}

export async function startWorker(deps: WorkerDeps): Promise<Worker> {
  const { store, secrets, log } = deps;
  const { keyring } = secrets;
  const { db } = store;
  const pools = holderOf(deps.pools);
  const registries = holderOf(deps.registries);
  const webhooks = holderOf(deps.webhooks);
  const names = () => pools.current().map(({ match }) => match);
  /** Of now and before. */
  const everyName = new Set(names());
  await writeRows(db, deps, secrets);
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
    for (const pool of pools.current()) {
      if (pool.hosts.includes(host)) void dispatcher.dispatch(pool.match);
    }
  };
  const sweepDeps = { db, log, pools: names, dispatch: dispatcher.dispatch };
  // First of all, so that the hosts of a node that died on this machine are free by the first beat.
  await sweepOnce(sweepDeps);
  const sweep = startSweep(sweepDeps);
  const housekeeping = startHousekeeping({ db, log, secrets, retention: deps.retention });
  const sealing = startSealing({
    db,
    log,
    secrets,
    allowed: deps.sealing,
    rewrite: () => replaceServiceWebhooks(db, writtenWebhooks(webhooks.current(), secrets)),
  });
  node = startNode({
    ...deps,
    pools,
    registries,
    installation,
    hosts: hostsOf(deps.pools),
    releaseEmpty: (lease) => releaseEmptyHost(db, lease, [...everyName]),
    logWriter: createLogWriter(db),
    onReachable: dispatchTo,
    onEnded: (pool) => void dispatcher.dispatch(pool),
  });
  const named = () => namedWebhooks(webhooks.current(), keyring);
  const deliverer = startDeliverer({
    db,
    log,
    known: () => [...named().keys()],
    metrics: deps.metrics,
    backoff: deps.telling.backoff,
    send: (delivery, signal) =>
      sendDelivery(
        { db, keyring, webhooks: named, traces: deps.traces, ...deps.telling },
        delivery,
        signal,
      ),
  });
  return {
    hear(notification) {
      if (notification.about === "delivery") deliverer.hurry();
      if (notification.about === "host") node?.wake(notification.host);
      if (notification.about === "lease") node?.lookForHosts();
      if (notification.about === "chore") housekeeping.hurry();
    },
    lookAgain() {
      node?.wakeAll();
      deliverer.hurry();
      housekeeping.hurry();
    },
    dispatch(names) {
      for (const pool of names) dispatcher.hurry(pool);
    },
    handlers: {
      dispatch: ({ pool }) => dispatcher.dispatch(pool),
      async fire({ jobId }) {
        for (const pool of await fireSchedule(db, pools.current(), jobId))
          void dispatcher.dispatch(pool);
      },
      trace: (message) => traceEnd({ db, traces: deps.traces }, message),
    },
    async reload(parts) {
      await writeRows(db, parts, secrets);
      pools.replace(parts.pools);
      registries.replace(parts.registries);
      webhooks.replace(parts.webhooks);
      deliverer.hurry();
      for (const name of names()) everyName.add(name);
      node?.reload({ hosts: hostsOf(parts.pools), hostAccess: parts.hostAccess });
      await Promise.all([...everyName].map((name) => dispatcher.dispatch(name)));
    },
    async stop() {
      // At once: others wait for the hosts, and need not wait for a sweep or for who is told.
      await Promise.all([
        node?.stop(),
        sweep.stop(),
        housekeeping.stop(),
        sealing.stop(),
        deliverer.stop(),
      ]);
    },
  };
}

/** What is in the rows of the configuration. The last can fail by what it is given, and counts. */
async function writeRows(
  db: Db,
  { pools, webhooks }: Pick<WorkerParts, "pools" | "webhooks">,
  secrets: Secrets,
): Promise<void> {
  await registerHosts(db, hostsOf(pools));
  await replaceServiceWebhooks(db, writtenWebhooks(webhooks, secrets));
}
