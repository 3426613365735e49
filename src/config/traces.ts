import * as v from "valibot";
import { key } from "./key.ts";
import { text } from "./values.ts";

const URL_WRONG = "must be an http or https URL without a user, a query or a fragment";
const CollectorUrl = v.pipe(text, v.check(isPlainUrl, URL_WRONG));

const HEADERS_WRONG = "must be headers as `name=value,name=value`, the values percent-encoded";
const Headers = v.pipe(
  text,
  v.check((given) => headersOf(given) !== null, HEADERS_WRONG),
);

const RATIO_WRONG = "must be a number from 0 to 1";
const Ratio = v.pipe(v.number(RATIO_WRONG), v.minValue(0, RATIO_WRONG), v.maxValue(1, RATIO_WRONG));

const TRACES_PATH = "/v1/traces";

/** The keys that say where it is told what was done when. */
export const TRACE_KEYS = {
  otlpEndpoint: key(
    "An OpenTelemetry collector, by OTLP over HTTP; traces go to `/v1/traces` there, and without it nowhere",
    v.optional(CollectorUrl),
    { example: "http://127.0.0.1:4318" },
  ),
  otlpTracesEndpoint: key(
    "The whole URL that traces go to, where it is not that one",
    v.optional(CollectorUrl),
    { example: "https://traces.example/otlp/v1/traces" },
  ),
  otlpHeaders: key(
    "Headers for the collector, as `name=value,name=value`, the values percent-encoded",
    v.optional(Headers),
    { example: "authorization=Basic%20Zm9vOmJhcg==", secret: true },
  ),
  otlpHeadersFile: key("A file with those headers", v.optional(text), {
    example: "/etc/fastlane/otlp-headers",
    secret: true,
    file: "start",
    insteadOf: "otlpHeaders",
  }),
  otlpServiceName: key("The service that traces are from", v.optional(text, "fastlane")),
  otlpSampleRatio: key(
    "The part of all requests of which traces are told, where a request does not say so itself",
    v.optional(Ratio, 1),
  ),
};

/** Where and how traces are told. */
interface TracesConfig {
  url: string;
  headers: Readonly<Record<string, string>>;
  serviceName: string;
  /** From 0 to 1. */
  sampleRatio: number;
}

type Values = Omit<v.InferOutput<v.ObjectSchema<typeof TRACE_KEYS, undefined>>, "otlpHeadersFile">;

/** @returns `null` where no collector is given. */
export function tracesOf(values: Values): TracesConfig | null {
  const { otlpEndpoint, otlpTracesEndpoint, otlpHeaders } = values;
  const url = otlpTracesEndpoint ?? (otlpEndpoint === undefined ? null : tracesUrlOf(otlpEndpoint));
  if (url === null) return null;
  return {
    url,
    headers: headersOf(otlpHeaders ?? "") ?? {},
    serviceName: values.otlpServiceName,
    sampleRatio: values.otlpSampleRatio,
  };
}

function tracesUrlOf(endpoint: string): string {
  const base = endpoint.replace(/\/+$/, "");
  return base.endsWith(TRACES_PATH) ? base : base + TRACES_PATH;
}

function isPlainUrl(given: string): boolean {
  const url = URL.parse(given);
  if (url === null || !["http:", "https:"].includes(url.protocol)) return false;
  return `${url.username}${url.password}${url.search}${url.hash}` === "" && !/[?#]/.test(given);
}

/** As OTEL_EXPORTER_OTLP_HEADERS has them. @returns `null` for what are none. */
function headersOf(given: string): Record<string, string> | null {
  const pairs = given
    .split(",")
    .map((pair) => pair.trim())
    .filter((pair) => pair !== "")
    .map((pair) => /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*(.*)$/.exec(pair));
  try {
    return Object.fromEntries(
      pairs.map((pair) => {
        const [, name = "", encoded = ""] = pair ?? [];
        const value = decodeURIComponent(encoded);
        if (name === "" || !/^[\x20-\x7e]*$/.test(value)) throw new URIError("no header");
        return [name.toLowerCase(), value];
      }),
    );
  } catch {
    return null;
  }
}
