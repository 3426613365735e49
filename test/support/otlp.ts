import { parse } from "protobufjs";

/** What of OpenTelemetry's protocol (opentelemetry-proto 1.x) says what a request with traces is. */
const PROTO = `
  syntax = "proto3";
  message ExportTraceServiceRequest { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans {
    Resource resource = 1; repeated ScopeSpans scope_spans = 2; string schema_url = 3;
  }
  message ScopeSpans {
    InstrumentationScope scope = 1; repeated Span spans = 2; string schema_url = 3;
  }
  message Resource { repeated KeyValue attributes = 1; uint32 dropped_attributes_count = 2; }
  message InstrumentationScope {
    string name = 1; string version = 2; repeated KeyValue attributes = 3;
    uint32 dropped_attributes_count = 4;
  }
  message Span {
    enum SpanKind {
      SPAN_KIND_UNSPECIFIED = 0; SPAN_KIND_INTERNAL = 1; SPAN_KIND_SERVER = 2;
      SPAN_KIND_CLIENT = 3; SPAN_KIND_PRODUCER = 4; SPAN_KIND_CONSUMER = 5;
    }
    message Event {
      fixed64 time_unix_nano = 1; string name = 2; repeated KeyValue attributes = 3;
      uint32 dropped_attributes_count = 4;
    }
    message Link {
      bytes trace_id = 1; bytes span_id = 2; string trace_state = 3;
      repeated KeyValue attributes = 4; uint32 dropped_attributes_count = 5; fixed32 flags = 6;
    }
    bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4;
    fixed32 flags = 16; string name = 5; SpanKind kind = 6;
    fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8;
    repeated KeyValue attributes = 9; uint32 dropped_attributes_count = 10;
    repeated Event events = 11; uint32 dropped_events_count = 12;
    repeated Link links = 13; uint32 dropped_links_count = 14; Status status = 15;
  }
  message Status {
    enum StatusCode { STATUS_CODE_UNSET = 0; STATUS_CODE_OK = 1; STATUS_CODE_ERROR = 2; }
    reserved 1; string message = 2; StatusCode code = 3;
  }
  message AnyValue {
    oneof value {
      string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4;
      ArrayValue array_value = 5; KeyValueList kvlist_value = 6; bytes bytes_value = 7;
    }
  }
  message ArrayValue { repeated AnyValue values = 1; }
  message KeyValueList { repeated KeyValue values = 1; }
  message KeyValue { string key = 1; AnyValue value = 2; }`;
const Request = parse(PROTO).root.lookupType("ExportTraceServiceRequest");

/** A span as a collector has it. */
export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  /** "" where it is the first one of its trace. */
  parentSpanId: string;
  traceState: string;
  name: string;
  kind: string;
  /** Milliseconds since 1970. */
  start: number;
  end: number;
  attributes: Record<string, unknown>;
  /** `null` where nothing was wrong. */
  error: string | null;
  links: { traceId: string; spanId: string }[];
  /** Of the service. */
  resource: Record<string, unknown>;
}

interface KeyValue {
  key: string;
  value: Record<string, unknown>;
}

interface WireSpan {
  traceId: string;
  spanId: string;
  parentSpanId: string;
  traceState: string;
  name: string;
  kind: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: KeyValue[];
  links: { traceId: string; spanId: string }[];
  status: { code: string; message: string } | null;
}

interface WireRequest {
  resourceSpans: {
    resource: { attributes: KeyValue[] };
    scopeSpans: { scope: { name: string }; spans: WireSpan[] }[];
  }[];
}

/** @throws {Error} For what is no request of the protocol. */
export function spansOf(body: Uint8Array): ReceivedSpan[] {
  const options = { longs: String, enums: String, bytes: String, defaults: true };
  const request = Request.toObject(Request.decode(body), options) as WireRequest;
  return request.resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) => spans.map((span) => spanOf(span, resource.attributes))),
  );
}

function spanOf(span: WireSpan, resource: KeyValue[]): ReceivedSpan {
  const { name, kind, traceState, status } = span;
  return {
    name,
    kind: kind.replace("SPAN_KIND_", "").toLowerCase(),
    traceState,
    traceId: hexOf(span.traceId, 16),
    spanId: hexOf(span.spanId, 8),
    parentSpanId: span.parentSpanId === "" ? "" : hexOf(span.parentSpanId, 8),
    start: Number(BigInt(span.startTimeUnixNano) / 1_000_000n),
    end: Number(BigInt(span.endTimeUnixNano) / 1_000_000n),
    attributes: valuesOf(span.attributes),
    error: status?.code === "STATUS_CODE_ERROR" ? status.message : null,
    links: span.links.map((link) => ({
      traceId: hexOf(link.traceId, 16),
      spanId: hexOf(link.spanId, 8),
    })),
    resource: valuesOf(resource),
  };
}

function hexOf(base64: string, length: number): string {
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length !== length) throw new Error(`An id has ${bytes.length} bytes, not ${length}`);
  return bytes.toString("hex");
}

function valuesOf(pairs: KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(
    pairs.map(({ key, value }) => {
      const [kind, held] = Object.entries(value)[0] ?? [];
      return [key, kind === "intValue" ? Number(held) : held];
    }),
  );
}
