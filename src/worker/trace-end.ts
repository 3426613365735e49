import { parseTraceparent, spanIdOf, WHOLE } from "../core/trace-context.ts";
import type { Message } from "../queue/messages.ts";
import type { Db } from "../store/connect.ts";
import { findTraced, type Traced } from "../store/traced.ts";
import type { Traces } from "../traces/traces.ts";
import { RUN, tellPart, traceOf } from "./tracing.ts";

/** Tells of an execution that has ended: of all of it, and of those parts that its row has the times of. */
export async function traceEnd(
  { db, traces }: { db: Db; traces: Traces },
  { executionId, ...written }: Message<"trace">,
): Promise<void> {
  if (!traces.isOn) return;
  const traced = await findTraced(db, executionId);
  if (traced === null) return;
  const { execution } = traced;
  const { id, startedAt, finishedAt, failureCause } = execution;
  const from = new Date(written.from);
  const end = latest(new Date(written.to), finishedAt);
  const error = faultOf(execution);
  tellWhole(traces, traced, end, error);
  if (startedAt !== null && finishedAt !== null) {
    tellPart(traces, execution, {
      name: RUN,
      id: spanIdOf(id, RUN),
      start: startedAt,
      end: finishedAt,
      attributes: attributesOfRun(execution),
      error: failureCause === "stopped" ? null : error,
    });
    tellPart(traces, execution, {
      name: "log",
      id: spanIdOf(id, "log"),
      start: finishedAt,
      end: latest(from, finishedAt),
      attributes: { "fastlane.log.bytes": execution.logBytes ?? 0 },
    });
  }
  tellPart(traces, execution, {
    name: "end",
    id: spanIdOf(id, "end"),
    start: latest(from, finishedAt),
    end,
  });
}

function tellWhole(traces: Traces, traced: Traced, end: Date, error: string | null): void {
  const { execution } = traced;
  const of = traceOf(execution);
  if (of === null) return;
  const id = spanIdOf(execution.id, WHOLE);
  const { tracedFrom, createdAt } = execution;
  traces.tell({
    of,
    state: execution.tracestate,
    name: WHOLE,
    id,
    // Its own id stands where nobody's trace goes on in it.
    parent: of.spanId === id ? null : { id: of.spanId, isRemote: true },
    start: tracedFrom !== null && tracedFrom < createdAt ? tracedFrom : createdAt,
    end,
    attributes: attributesOfWhole(traced),
    error,
    links: linksOf(traced),
  });
}

/** No command and no variables: there may be secrets in them. */
function attributesOfWhole({ execution }: Traced) {
  const { id, jobId, taskId, pool, status, failureCause, retry, tickAt, placements } = execution;
  return {
    "fastlane.task.id": taskId,
    "fastlane.job.id": jobId,
    "fastlane.execution.id": id,
    "fastlane.pool": pool,
    "fastlane.status": status,
    "fastlane.retry": retry,
    "fastlane.placements": placements,
    ...(failureCause === null ? {} : { "fastlane.failure_cause": failureCause }),
    ...(tickAt === null ? {} : { "fastlane.tick_at": tickAt.toISOString() }),
    ...attributesOfRun(execution),
  };
}

function attributesOfRun({ host, containerId, exitCode, request }: Traced["execution"]) {
  return {
    "container.image.name": request.image,
    ...(host === null ? {} : { "fastlane.host": host }),
    ...(containerId === null ? {} : { "container.id": containerId }),
    ...(exitCode === null ? {} : { "process.exit.code": exitCode }),
  };
}

/** Why it failed; one that somebody stopped has not. */
function faultOf({ status, failureCause, message, exitCode }: Traced["execution"]): string | null {
  if (status === "done" || status === "stopped") return null;
  if (failureCause === "exit_code") return `exit_code: ${exitCode}`;
  return [failureCause ?? status, message].filter((words) => words !== null).join(": ");
}

/** A retry has to do with the try before it, a tick with the request that made its schedule. */
function linksOf({ execution, jobTraceparent, retriedTraceparent }: Traced) {
  const { retryOf, tickAt, jobId } = execution;
  const retried = parseTraceparent(retriedTraceparent ?? "");
  if (retryOf !== null && retried !== null) {
    return [{ traceId: retried.traceId, spanId: spanIdOf(retryOf, WHOLE) }];
  }
  const ofJob = parseTraceparent(jobTraceparent ?? "");
  if (tickAt === null || ofJob === null) return [];
  return [{ traceId: ofJob.traceId, spanId: spanIdOf(jobId, "enqueue") }];
}

const latest = (one: Date, other: Date | null) => (other !== null && other > one ? other : one);
