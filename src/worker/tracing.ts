import {
  parseTraceparent,
  spanIdOf,
  type TraceContext,
  traceparentOf,
  WHOLE,
} from "../core/trace-context.ts";
import type { ExecutionRow } from "../store/schema.ts";
import type { Traces } from "../traces/traces.ts";

/** The span of the container's own process, from its start to its end. */
export const RUN = "run";

type Carrier = Pick<ExecutionRow, "id" | "traceparent" | "tracestate">;
type Told = Parameters<Traces["tell"]>[0];

/** The trace of an execution; `null` where nothing is told of it. */
export function traceOf({ traceparent }: Pick<Carrier, "traceparent">): TraceContext | null {
  return traceparent === null ? null : parseTraceparent(traceparent);
}

/** Tells of a part of an execution. */
export function tellPart(
  traces: Traces,
  { id, traceparent, tracestate: state }: Carrier,
  part: Omit<Told, "of" | "state" | "parent">,
): void {
  const of = traceOf({ traceparent });
  if (of === null) return;
  const attributes = { "fastlane.execution.id": id, ...part.attributes };
  traces.tell({ ...part, of, state, attributes, parent: { id: spanIdOf(id, WHOLE) } });
}

/** What is handed on with something that is done for an execution, to whoever does it. */
export function handedOn(
  { traceparent, tracestate }: Carrier,
  spanId: string,
): { traceparent?: string; tracestate?: string } {
  const trace = traceOf({ traceparent });
  if (trace === null) return {};
  return {
    traceparent: traceparentOf({ ...trace, spanId }),
    ...(tracestate === null ? {} : { tracestate }),
  };
}

/**
 * The variables of the container, which is a part of the span `run`; none where the payload has its own.
 *
 * @param own Those of the payload, opened.
 */
export function traceEnvs(
  execution: Carrier,
  own: Readonly<Record<string, string>>,
): Record<string, string> {
  if (Object.hasOwn(own, "TRACEPARENT")) return {};
  const { traceparent, tracestate } = handedOn(execution, spanIdOf(execution.id, RUN));
  return {
    ...(traceparent === undefined ? {} : { TRACEPARENT: traceparent }),
    ...(tracestate === undefined ? {} : { TRACESTATE: tracestate }),
  };
}
