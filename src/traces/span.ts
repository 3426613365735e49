import { randomBytes } from "node:crypto";
import { type Attributes, type SpanContext, SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { millisToHrTime } from "@opentelemetry/core";
import type { Resource } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { TraceContext } from "../core/trace-context.ts";

/** Something that was done, with its beginning and its end. */
export interface SpanToTell {
  /** The trace that it belongs to. */
  of: TraceContext;
  state?: string | null;
  name: string;
  /** Made up where nobody else has to know it. */
  id?: string;
  /** The span that it is a part of; `null` for the first one of a trace. */
  parent: { id: string; isRemote?: boolean } | null;
  kind?: "server" | "client";
  start: Date;
  /** No earlier than its start counts, since clocks differ. */
  end: Date;
  attributes?: Attributes;
  /** What was wrong, where something was. */
  error?: string | null;
  /** Other spans that it has to do with. */
  links?: readonly { traceId: string; spanId: string }[];
}

const SAMPLED = 1;
const KINDS = { server: SpanKind.SERVER, client: SpanKind.CLIENT } as const;

/** The span as the exporter takes it. */
export function toReadable(span: SpanToTell, resource: Resource, version: string): ReadableSpan {
  const { traceId } = span.of;
  const startMs = span.start.getTime();
  const endMs = Math.max(startMs, span.end.getTime());
  const own = contextOf(traceId, span.id ?? randomBytes(8).toString("hex"), span.state);
  const links = span.links ?? [];
  return {
    name: span.name,
    kind: span.kind === undefined ? SpanKind.INTERNAL : KINDS[span.kind],
    spanContext: () => own,
    ...(span.parent === null
      ? {}
      : {
          parentSpanContext: {
            ...contextOf(traceId, span.parent.id, null),
            isRemote: span.parent.isRemote ?? false,
          },
        }),
    startTime: millisToHrTime(startMs),
    endTime: millisToHrTime(endMs),
    duration: millisToHrTime(endMs - startMs),
    status:
      span.error == null
        ? { code: SpanStatusCode.UNSET }
        : { code: SpanStatusCode.ERROR, message: span.error },
    attributes: span.attributes ?? {},
    links: links.map(({ traceId: other, spanId }) => ({
      context: contextOf(other, spanId, null),
    })),
    events: [],
    ended: true,
    resource,
    instrumentationScope: { name: "fastlane", version },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function contextOf(traceId: string, spanId: string, state: string | null | undefined): SpanContext {
  const traceState = state == null ? undefined : stateOf(state);
  return { traceId, spanId, traceFlags: SAMPLED, ...(traceState ? { traceState } : {}) };
}

/** As it came: it is handed on and never changed. */
function stateOf(text: string): NonNullable<SpanContext["traceState"]> {
  const state = {
    get: () => undefined,
    set: () => state,
    unset: () => state,
    serialize: () => text,
  };
  return state;
}
