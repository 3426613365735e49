import { expect, test } from "bun:test";
import { loadConfig } from "../../src/config/load.ts";
import { tracesOf } from "../../src/config/traces.ts";

const load = (environment: Record<string, string>) =>
  tracesOf(loadConfig({ environment, flags: {}, configFile: "/dev/null" }));

test("without a collector nothing is told", () => {
  expect(load({ OTEL_SERVICE_NAME: "farm" })).toBeNull();
});

test.each([
  ["http://c:4318", "http://c:4318/v1/traces"],
  ["http://c:4318/", "http://c:4318/v1/traces"],
  ["https://c/otlp", "https://c/otlp/v1/traces"],
  ["https://c/v1/traces", "https://c/v1/traces"],
])("traces for the collector %p go to %p", (endpoint, url) => {
  expect(load({ FASTLANE_OTLP_ENDPOINT: endpoint })?.url).toBe(url);
});

test("OpenTelemetry's own variables count, those for traces over those for all", () => {
  const config = load({
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://all:4318",
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://traces:4318/elsewhere",
    OTEL_EXPORTER_OTLP_HEADERS: "api-key=for all",
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: "Api-Key=a%2Cb%20c,x=y=z",
    OTEL_SERVICE_NAME: "farm",
  });

  expect(config).toEqual({
    url: "http://traces:4318/elsewhere",
    headers: { "api-key": "a,b c", x: "y=z" },
    serviceName: "farm",
    sampleRatio: 1,
  });
});

test("fastlane's own variables count over OpenTelemetry's", () => {
  const config = load({
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://all:4318",
    FASTLANE_OTLP_ENDPOINT: "http://own:4318",
    FASTLANE_OTLP_SAMPLE_RATIO: "0.25",
  });

  expect(config).toMatchObject({ url: "http://own:4318/v1/traces", sampleRatio: 0.25 });
});

test("OTEL_SDK_DISABLED has OpenTelemetry's variables say nothing", () => {
  const config = load({ OTEL_SDK_DISABLED: "true", OTEL_EXPORTER_OTLP_ENDPOINT: "http://all" });

  expect(config).toBeNull();
});

test.each([
  [{ FASTLANE_OTLP_ENDPOINT: "http://ada:hidden@c" }, "otlpEndpoint must be an http or https URL"],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: "c:4317" }, "OTEL_EXPORTER_OTLP_ENDPOINT: otlpEndpoint must be"],
  [{ FASTLANE_OTLP_ENDPOINT: "http://c/?key=hidden" }, "without a user, a query or a fragment"],
  [{ FASTLANE_OTLP_HEADERS: "hidden" }, "otlpHeaders must be headers as `name=value"],
  [{ FASTLANE_OTLP_HEADERS: "a=hidden%" }, "otlpHeaders must be headers as `name=value"],
  [{ FASTLANE_OTLP_HEADERS: "a=hidden%0a" }, "otlpHeaders must be headers as `name=value"],
  [
    { FASTLANE_OTLP_HEADERS: "a=hidden", FASTLANE_OTLP_HEADERS_FILE: "/dev/null" },
    "otlpHeaders and otlpHeadersFile must not be given together",
  ],
  [{ FASTLANE_OTLP_SAMPLE_RATIO: "2" }, "otlpSampleRatio must be a number from 0 to 1"],
])("%j is refused with a sentence that has no secret in it", (environment, sentence) => {
  const fault = () => load(environment as unknown as Record<string, string>);

  expect(fault).toThrow(sentence);
  expect(fault).not.toThrow("hidden");
});
