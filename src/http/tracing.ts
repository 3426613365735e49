import {
  ownTrace,
  parseTraceparent,
  parseTracestate,
  spanIdOf,
  WHOLE,
} from "../core/trace-context.ts";
import type { Enqueued } from "../services/enqueue-jobs.ts";
import type { TraceOrigin } from "../services/trace-origin.ts";
import type { Traces } from "../traces/traces.ts";
import type { HttpContext } from "./context.ts";

/** What a request that makes jobs says of its trace; `null` where nothing is told. */
export function traceOriginOf(traces: Traces, c: HttpContext): TraceOrigin | null {
  if (!traces.isOn) return null;
  const context = parseTraceparent(c.req.header("traceparent") ?? "");
  const caller =
    context === null ? null : { context, state: parseTracestate(c.req.header("tracestate") ?? "") };
  const isSampled = caller?.context.isSampled ?? traces.draw();
  return { caller, isSampled, from: c.get("receivedAt") };
}

/** Tells of a request as the beginning of the execution, or else of the job, that it has made. */
export function traceEnqueued(
  traces: Traces,
  c: HttpContext,
  { trace, job }: { trace: TraceOrigin | null; job: { taskId: string } },
  { executionId, jobId, isRepeat }: Enqueued,
): void {
  if (trace === null || isRepeat) return;
  const { caller, isSampled, from } = trace;
  const whole = caller?.context ?? ownTrace(executionId ?? jobId, isSampled);
  const parent =
    executionId === null
      ? caller && { id: caller.context.spanId, isRemote: true }
      : { id: spanIdOf(executionId, WHOLE) };
  traces.tell({
    of: whole,
    state: caller?.state ?? null,
    name: "enqueue",
    // What a schedule makes later refers to this one.
    id: executionId === null ? spanIdOf(jobId, "enqueue") : spanIdOf(executionId, "enqueue"),
    parent,
    kind: "server",
    start: from,
    end: new Date(),
    attributes: {
      "http.request.method": c.req.method,
      "http.response.status_code": 200,
      "url.path": c.req.path,
      "fastlane.operation": c.get("operation"),
      "fastlane.task.id": job.taskId,
      "fastlane.job.id": jobId,
      ...(executionId === null ? {} : { "fastlane.execution.id": executionId }),
    },
  });
}
