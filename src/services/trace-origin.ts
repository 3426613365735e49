import {
  ownTrace,
  parseTraceparent,
  type TraceContext,
  traceparentOf,
} from "../core/trace-context.ts";
import type { NewExecution } from "../store/executions.ts";

/** How a request that makes something is told of. */
export interface TraceOrigin {
  /** What it said of its own trace; `null` where it said nothing. */
  caller: { context: TraceContext; state: string | null } | null;
  /** Whether what it makes is told of. */
  isSampled: boolean;
  /** When it came in. */
  from: Date;
}

/** @returns `null` where nothing is told of the job. */
export function traceparentOfJob(jobId: string, trace: TraceOrigin | null): string | null {
  if (trace === null) return null;
  return traceparentOf(trace.caller?.context ?? ownTrace(jobId, trace.isSampled));
}

/**
 * The trace of a new execution: the request's that makes it. A tick or a retry has one of its own,
 * where its job is told of.
 */
export function tracedAs(
  executionId: string,
  jobTraceparent: string | null,
  trace: TraceOrigin | null,
): Pick<NewExecution, "traceparent" | "tracestate" | "tracedFrom"> {
  const from = trace ?? parseTraceparent(jobTraceparent ?? "");
  if (from === null) return { traceparent: null, tracestate: null, tracedFrom: null };
  const context = trace?.caller?.context ?? ownTrace(executionId, from.isSampled);
  return {
    traceparent: traceparentOf(context),
    tracestate: trace?.caller?.state ?? null,
    tracedFrom: trace?.from ?? null,
  };
}
