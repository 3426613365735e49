import { setTimeout as delay } from "node:timers/promises";
import { Gauge, Registry } from "prom-client";
import { executionCounts } from "./execution-counts.ts";
import { nodeCounts } from "./node-counts.ts";
import type { Numbers } from "./numbers.ts";
import { processMetrics } from "./process-metrics.ts";
import { rowGauges } from "./row-gauges.ts";

export interface MetricsDeps {
  version: string;
  /** The pools of the configuration, as it is now. */
  pools(): readonly { match: string; maxRunning: number }[];
  /** Asks Postgres. */
  numbers(): Promise<Numbers>;
}

/** Many may scrape: Postgres is asked once for all who come within this time. */
const KEPT_MS = 1_000;
/** Prometheus gives up after 10 s; a scrape without numbers is better than none. */
const ANSWER_WITHIN_MS = 4_000;

export interface Scrape {
  contentType: string;
  text: string;
}

export interface Family {
  name: string;
  help: string;
  type: string;
  labels: readonly string[];
}

/** Its types do not tell that a metric knows its labels, nor that a type is a word. */
interface Described {
  name: string;
  help: string;
  type: unknown;
  labelNames?: readonly string[];
}

interface Reading {
  numbers: Numbers | null;
  seconds: number;
}

export type Metrics = ReturnType<typeof createMetrics>;

/** What is counted in this process, and what a scrape tells of it and of the installation. */
export function createMetrics({ version, pools, numbers }: MetricsDeps) {
  const registry = new Registry();
  const build = new Gauge({
    name: "fastlane_build_info",
    help: "1, with the version of this node.",
    labelNames: ["version"],
    registers: [registry],
  });
  build.set({ version }, 1);
  const rows = rowGauges(registry);
  const { knowPools, ...executions } = executionCounts(registry);
  const node = nodeCounts(registry);
  processMetrics(registry);

  const read = async (): Promise<Reading> => {
    const askedAt = performance.now();
    const known = await Promise.race([numbers(), delay(ANSWER_WITHIN_MS, null, { ref: false })])
      // That it does not answer is what the scrape tells then.
      .catch(() => null);
    return { numbers: known, seconds: (performance.now() - askedAt) / 1_000 };
  };
  let last = { readAt: Number.NEGATIVE_INFINITY, reading: read };
  const readSharing = () => {
    if (performance.now() - last.readAt > KEPT_MS) {
      const reading = read();
      last = { readAt: performance.now(), reading: () => reading };
    }
    return last.reading();
  };

  return {
    ...executions,
    ...node,
    /** All that there is, for those who document it. */
    families(): Family[] {
      const all: readonly Described[] = registry.getMetricsAsArray();
      return all.map(({ name, help, type, labelNames }) => ({
        name,
        help,
        type: String(type),
        labels: labelNames ?? [],
      }));
    },
    async scrape(): Promise<Scrape> {
      const { numbers: known, seconds } = await readSharing();
      knowPools(pools().map(({ match }) => match));
      rows.set(pools(), known, seconds);
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}
