import { spanIdOf } from "../core/trace-context.ts";
import type { ExecutionFacts } from "../services/execution-facts.ts";
import type { DeliveryRow } from "../store/delivery-schema.ts";
import type { Traces } from "../traces/traces.ts";
import type { Sent } from "./deliverer.ts";
import { handedOn, tellPart } from "./tracing.ts";

type Try = Pick<DeliveryRow, "id" | "tries">;

/** Each try is a span of its own. */
const spanOf = ({ id, tries }: Try) => spanIdOf(id, `try:${tries}`);

/** The headers of a webhook, with the trace unless there is one among them. */
export function withTrace(
  headers: Readonly<Record<string, string>>,
  trace: ExecutionFacts["trace"],
  delivery: Try,
): Record<string, string> {
  const isGiven = Object.keys(headers).some((name) => name.toLowerCase() === "traceparent");
  return isGiven ? { ...headers } : { ...handedOn(trace, spanOf(delivery)), ...headers };
}

/** Tells of a try. Of a webhook's URL no more than its origin is told: what is behind it may be a secret. */
export function tellDelivery(
  traces: Traces,
  trace: ExecutionFacts["trace"],
  delivery: DeliveryRow,
  { at, durationMs, code, error, ok }: Sent,
): void {
  const { id, kind, event, tries, target, request } = delivery;
  const url = kind === "webhook" ? URL.parse(target) : null;
  const response = kind === "webhook" ? "http.response.status_code" : "fastlane.smtp.code";
  tellPart(traces, trace, {
    name: kind,
    id: spanOf(delivery),
    kind: "client",
    start: at,
    end: new Date(at.getTime() + durationMs),
    attributes: {
      "fastlane.delivery.id": id,
      "fastlane.delivery.try": tries,
      "fastlane.event": event,
      ...(code === null ? {} : { [response]: code }),
      ...(url === null ? {} : httpAttributes(url, request.method ?? "POST")),
      ...(ok ? {} : { "error.type": code === null ? "_OTHER" : String(code) }),
    },
    error,
  });
}

function httpAttributes({ hostname, port, protocol }: URL, method: string) {
  const usual = protocol === "https:" ? 443 : 80;
  return {
    "http.request.method": method,
    "server.address": hostname,
    "server.port": port === "" ? usual : Number(port),
    "url.scheme": protocol.slice(0, -1),
  };
}
