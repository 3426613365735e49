import type { Config } from "../config/schema.ts";
import type { Live } from "../core/live.ts";
import { hostsOf } from "../core/pool.ts";
import { parseTraceparent } from "../core/trace-context.ts";
import { startMetricsServer } from "../http/metrics-server.ts";
import { createMetrics, type Metrics } from "../metrics/metrics.ts";
import { messageNumbers } from "../queue/numbers.ts";
import type { Db } from "../store/connect.ts";
import type { Deed, OnDeed } from "../store/deeds.ts";
import { farmNumbers } from "../store/farm-numbers.ts";
import type { Log } from "../worker/log.ts";
import type { Closing } from "./ending.ts";

/** @param db Asked for at each scrape: metrics count before there is a database. */
export function meter(
  { version, live, log }: { version: string; live: Live<Config>; log: Pick<Log, "info"> },
  db: () => Db,
): { metrics: Metrics; onDeed: OnDeed } {
  const metrics = createMetrics({
    version,
    pools: () => live.current().dockerHosts,
    async numbers() {
      const hosts = hostsOf(live.current().dockerHosts);
      const [farm, messages] = await Promise.all([farmNumbers(db(), hosts), messageNumbers(db())]);
      return { ...farm, messages };
    },
  });
  return {
    metrics,
    onDeed(deed) {
      count(metrics, deed);
      tell(log, deed);
    },
  };
}

/**
 * Listens for those who scrape, where that is configured.
 *
 * @returns Where; `null` when it is not.
 */
export async function startMetrics(
  { metricsHost: host, metricsPort: port }: Pick<Config, "metricsHost" | "metricsPort">,
  deps: { metrics: Metrics; log: Pick<Log, "error"> },
  connections: Closing[],
): Promise<string | null> {
  if (port === undefined) return null;
  const server = await startMetricsServer({ host, port }, deps);
  connections.push({ part: "metrics", close: server.stop });
  return `http://${host.includes(":") ? `[${host}]` : host}:${server.port}/metrics`;
}

function count(metrics: Metrics, deed: Deed): void {
  if (deed.kind === "enqueued") metrics.enqueued(deed.pool, deed.origin);
  if (deed.kind === "placed") metrics.placed(deed.pool, deed.waitedSeconds);
  if (deed.kind === "started") metrics.started(deed.pool, deed.host);
  if (deed.kind === "ended") metrics.ended(deed);
  if (deed.kind === "logged") metrics.logged(deed.bytes);
}

/** The way of each execution, by whomever it was gone; what a request makes is told with its id. */
function tell(log: Pick<Log, "info">, deed: Deed): void {
  if (deed.kind === "placed" || deed.kind === "logged") return;
  const { id: executionId, jobId, taskId, pool } = deed;
  const execution = { executionId, jobId, taskId, pool };
  if (deed.kind === "enqueued") {
    if (deed.origin !== "request") log.info({ ...execution, origin: deed.origin }, "enqueued");
  } else if (deed.kind === "started") log.info({ ...execution, host: deed.host }, "started");
  else {
    const { host, status, failureCause, exitCode, logHasGap } = deed;
    const traceId = parseTraceparent(deed.traceparent ?? "")?.traceId;
    const end = { host, status, failureCause, exitCode, logHasGap, traceId };
    log.info({ ...execution, ...end }, "ended");
  }
}
