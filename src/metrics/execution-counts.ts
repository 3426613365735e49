import { Counter, Histogram, type Registry } from "prom-client";
import type { FailureCause, Status } from "../core/status.ts";
import { poolLabel } from "./label.ts";

const WAIT_SECONDS = [0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1_800, 7_200];
const PULL_SECONDS = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900];
const RUN_SECONDS = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 1_800, 3_600, 14_400, 86_400];

export interface EndedExecution {
  pool: string;
  status: Status;
  failureCause: FailureCause | null;
  logHasGap: boolean;
  ranSeconds: number | null;
  wholeSeconds: number;
}

/** What this node has written of executions. */
export function executionCounts(registry: Registry) {
  const registers = [registry];
  const enqueued = new Counter({
    name: "fastlane_executions_enqueued_total",
    help: "Executions made by this node, by pool, and whether a request, a schedule or a retry made them.",
    labelNames: ["pool", "origin"],
    registers,
  });
  const started = new Counter({
    name: "fastlane_executions_started_total",
    help: "Executions whose container this node was the first to see run, by pool and host.",
    labelNames: ["pool", "host"],
    registers,
  });
  const ended = new Counter({
    name: "fastlane_executions_ended_total",
    help: "Executions whose end this node wrote, by pool, status and cause; the cause of done is none.",
    labelNames: ["pool", "status", "cause"],
    registers,
  });
  const gaps = new Counter({
    name: "fastlane_log_gaps_total",
    help: "Of these, those of whose log parts may be missing that nobody could read.",
    labelNames: ["pool"],
    registers,
  });
  const waited = new Histogram({
    name: "fastlane_execution_wait_seconds",
    help: "From when an execution could begin to when this node gave it to a host; each time that it was given to one.",
    labelNames: ["pool"],
    buckets: WAIT_SECONDS,
    registers,
  });
  const pulled = new Histogram({
    name: "fastlane_image_pull_seconds",
    help: "Pulls of images by this node, by pool and outcome: ok, failed or aborted.",
    labelNames: ["pool", "outcome"],
    buckets: PULL_SECONDS,
    registers,
  });
  const ran = new Histogram({
    name: "fastlane_execution_run_seconds",
    help: "From a container's start to its end, of executions whose end this node wrote.",
    labelNames: ["pool"],
    buckets: RUN_SECONDS,
    registers,
  });
  const whole = new Histogram({
    name: "fastlane_execution_whole_seconds",
    help: "From when an execution was made to its end, of executions whose end this node wrote.",
    labelNames: ["pool"],
    buckets: RUN_SECONDS,
    registers,
  });
  const logged = new Counter({
    name: "fastlane_log_stored_bytes_total",
    help: "Bytes of logs that this node stored: stdout, stderr and how pulls went on.",
    registers,
  });
  return {
    /** A counter that is not there yet has no rate: pools are known before anything happens in them. */
    knowPools(pools: readonly string[]) {
      for (const pool of pools.map(poolLabel)) {
        for (const origin of ["request", "schedule", "retry"]) enqueued.inc({ pool, origin }, 0);
        ended.inc({ pool, status: "done", cause: "none" }, 0);
        ended.inc({ pool, status: "failed", cause: "exit_code" }, 0);
        gaps.inc({ pool }, 0);
      }
    },
    enqueued: (pool: string, origin: "request" | "schedule" | "retry") =>
      enqueued.inc({ pool: poolLabel(pool), origin }),
    placed: (pool: string, waitedSeconds: number) =>
      waited.observe({ pool: poolLabel(pool) }, Math.max(0, waitedSeconds)),
    started: (pool: string, host: string) => started.inc({ pool: poolLabel(pool), host }),
    pulled: (pool: string, outcome: "ok" | "failed" | "aborted", seconds: number) =>
      pulled.observe({ pool: poolLabel(pool), outcome }, seconds),
    ended(end: EndedExecution) {
      const pool = poolLabel(end.pool);
      ended.inc({ pool, status: end.status, cause: end.failureCause ?? "none" });
      if (end.logHasGap) gaps.inc({ pool });
      if (end.ranSeconds !== null) ran.observe({ pool }, Math.max(0, end.ranSeconds));
      whole.observe({ pool }, Math.max(0, end.wholeSeconds));
    },
    logged: (bytes: number) => logged.inc(bytes),
  };
}
