import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { type Resource, resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from "@opentelemetry/sdk-trace";
import { messageOf } from "../core/errors.ts";

export interface ExporterOptions {
  /** Where spans are POSTed to. */
  url: string;
  headers: Readonly<Record<string, string>>;
  log: { warn(fields: Record<string, unknown>, event: string): void };
}

/** Spans that wait at most; of more the newest are dropped. */
const MOST_WAITING = 4_096;
const BATCH = 512;
const SEND_EVERY_MS = 500;
const SEND_WITHIN_MS = 10_000;
const STOP_WITHIN_MS = 2_000;
const COMPLAIN_EVERY_MS = 60_000;

/** Sends spans in batches. A collector that is down or slow costs spans, and nothing else. */
export interface Exporter {
  resourceOf(service: { serviceName: string; version: string }): Resource;
  add(span: ReadableSpan): void;
  stop(): Promise<void>;
}

export function startExporter(options: ExporterOptions): Exporter {
  const { url, headers } = options;
  const losses = countLosses(options);
  const sender = new OTLPTraceExporter({
    url,
    headers: { ...headers },
    timeoutMillis: SEND_WITHIN_MS,
  });
  let waiting = 0;
  const counted: SpanExporter = {
    export(spans, done) {
      sender.export(spans, (result) => {
        waiting -= spans.length;
        if (result.code !== ExportResultCode.SUCCESS) losses.add(spans.length, wordsOf(result));
        done(result);
      });
    },
    shutdown: () => sender.shutdown(),
    forceFlush: () => sender.forceFlush(),
  };
  const processor = new BatchSpanProcessor({
    exporter: counted,
    maxQueueSize: MOST_WAITING,
    maxExportBatchSize: BATCH,
    scheduledDelayMillis: SEND_EVERY_MS,
    // The sender has its own limit, and always tells what came of it.
    exportTimeoutMillis: 2 * SEND_WITHIN_MS,
  });
  return {
    resourceOf: ({ serviceName, version }) =>
      resourceFromAttributes({
        "service.name": serviceName,
        "service.version": version,
        "service.instance.id": crypto.randomUUID(),
        "host.name": hostname(),
      }),
    add(span) {
      if (waiting >= MOST_WAITING) return losses.add(1, "the collector is too slow");
      waiting += 1;
      processor.onEnd(span);
    },
    async stop() {
      await Promise.race([
        processor.shutdown().catch(() => {}),
        delay(STOP_WITHIN_MS, undefined, { ref: false }),
      ]);
      if (waiting > 0) losses.add(waiting, "the node stopped before the collector had taken them");
      losses.stop();
    },
  };
}

/** Says at most once a minute how many spans were lost. */
function countLosses({ url, log }: Pick<ExporterOptions, "url" | "log">) {
  let spans = 0;
  let words = "";
  let timer: ReturnType<typeof setTimeout> | null = null;
  const complain = () => {
    timer = null;
    if (spans === 0) return;
    log.warn({ collector: new URL(url).origin, spans, error: words }, "lost spans of traces");
    spans = 0;
    timer = setTimeout(complain, COMPLAIN_EVERY_MS);
    timer.unref();
  };
  return {
    add(count: number, why: string) {
      spans += count;
      words = why;
      if (timer === null) complain();
    },
    stop() {
      if (timer !== null) clearTimeout(timer);
      complain();
      if (timer !== null) clearTimeout(timer);
    },
  };
}

function wordsOf({ error }: ExportResult): string {
  if (error === undefined) return "the collector did not take them";
  const { code } = error as { code?: unknown };
  return typeof code === "number" ? `it answered ${code}` : messageOf(error);
}
