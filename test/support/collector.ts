import { eventually } from "./client.ts";
import { type ReceivedSpan, spansOf } from "./otlp.ts";

export interface Collector extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  url: string;
  spans: ReceivedSpan[];
  /** The headers of each request, names in lower case. */
  headers: Record<string, string>[];
  /** What it found wrong in requests. */
  faults: string[];
  /** The spans of a trace, when there are those of these names. */
  trace(traceId: string, names: readonly string[]): Promise<ReceivedSpan[]>;
}

/** Takes traces by OTLP over HTTP, as protobuf. */
export function startCollector(port = 0): Collector {
  const spans: ReceivedSpan[] = [];
  const headers: Record<string, string>[] = [];
  const faults: string[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port,
    async fetch(request) {
      headers.push(Object.fromEntries(request.headers));
      try {
        const { pathname } = new URL(request.url);
        if (request.method !== "POST" || pathname !== "/v1/traces") throw new Error(request.url);
        const type = request.headers.get("content-type");
        if (type !== "application/x-protobuf") throw new Error(`content-type ${type}`);
        spans.push(...spansOf(new Uint8Array(await request.arrayBuffer())));
      } catch (error) {
        faults.push(String(error));
        return new Response(null, { status: 400 });
      }
      return new Response(null, { headers: { "content-type": "application/x-protobuf" } });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    spans,
    headers,
    faults,
    async trace(traceId, names) {
      const found = () => spans.filter((span) => span.traceId === traceId);
      return await eventually(
        () => {
          const there = new Set(found().map(({ name }) => name));
          return names.every((name) => there.has(name)) ? found() : undefined;
        },
        () => `the trace lacks spans of ${names}: ${Bun.inspect(found())} ${faults}`,
      );
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}
