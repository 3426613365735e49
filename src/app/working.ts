import { managerOf } from "../core/swarm-name.ts";
import { dockerHost } from "../farm/docker-host.ts";
import { swarmHost } from "../farm/swarm-host.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { type Queue, startQueue } from "../queue/runner.ts";
import type { PostgresAddress } from "../store/address.ts";
import { openStore, type Store } from "../store/connect.ts";
import type { Traces } from "../traces/traces.ts";
import { startWorker, type Worker } from "../worker/worker.ts";
import type { Closing } from "./ending.ts";
import type { AppOptions } from "./options.ts";
import { ownUrl } from "./own-url.ts";
import { workerParts } from "./reload.ts";
import type { AppSecrets } from "./secrets.ts";

/** The parts that run jobs. */
export interface Working {
  worker: Worker;
  queue: Queue;
  /** Takes nothing new, and gives the hosts back as they are. */
  stop(): Promise<void>;
}

export interface WorkingParts {
  store: Store;
  secrets: AppSecrets;
  traces: Traces;
  metrics: Metrics;
}

/** Starts what runs jobs; `connections` gets what closes them once that is stopped. */
export async function startWorking(
  { config, version, log }: AppOptions,
  address: PostgresAddress,
  { store, secrets, traces, metrics }: WorkingParts,
  connections: Closing[],
): Promise<Working> {
  let queue: Queue | null = null;
  const beatStore = openStore({ address, max: 1, name: "fastlane heartbeat" });
  connections.push({ part: "heartbeat", close: () => beatStore.close() });
  const worker = await startWorker({
    store,
    beatStore,
    secrets,
    sealing: secrets.sealing,
    version,
    ...workerParts(config),
    breaker: {
      maxFails: config.dockerCircuitBreakerMaxFails,
      resetTimeoutSeconds: config.dockerCircuitBreakerResetTimeoutSeconds,
    },
    hostLostAfterSeconds: config.hostLostAfterSeconds,
    telling: {
      webhooksAllowPrivate: config.webhooksAllowPrivate,
      userAgent: `fastlane/${version}`,
      backoff: {
        minMs: config.webhooksExponentialBackoffMinMs,
        factor: config.webhooksExponentialBackoffFactor,
      },
      smtp: config.smtp,
      baseUrl: config.publicUrl?.replace(/\/+$/, "") ?? ownUrl(config),
    },
    traces,
    maxLogBytes: config.maxLogBytes,
    retention: config.retention,
    connectHost(name, access) {
      const { hostLostAfterSeconds } = config;
      return managerOf(name) === null
        ? dockerHost(name, access)
        : swarmHost(name, { access, hostLostAfterSeconds });
    },
    queuePoolId: () => queue?.poolId() ?? null,
    metrics,
    log,
  });
  const started = startQueue({
    address,
    handlers: worker.handlers,
    log: (level, text, details) => log[level](details ?? {}, text),
  });
  queue = started;
  const stop = async () => void (await Promise.all([worker.stop(), started.stop()]));
  return { worker, queue, stop };
}
