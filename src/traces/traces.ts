import type { TraceContext } from "../core/trace-context.ts";
import { type ExporterOptions, startExporter } from "./exporter.ts";
import { type SpanToTell, toReadable } from "./span.ts";

export interface TracesOptions extends ExporterOptions {
  serviceName: string;
  version: string;
  /** How many of the traces that begin here are told of, from 0 to 1. */
  sampleRatio: number;
}

/** Tells a collector what was done when. It never throws, and nothing ever waits for it. */
export interface Traces {
  /** Whether anything is told at all: else nothing need be kept for it. */
  readonly isOn: boolean;
  /** Whether what begins here, by nobody's trace, is to be told of. */
  draw(): boolean;
  /** A span is over. One of a trace that is not sampled is not told of. */
  tell(span: SpanToTell): void;
  /** Sends what has not been sent, for no longer than two seconds. */
  stop(): Promise<void>;
}

/** Where no collector is configured. */
export const NO_TRACES: Traces = {
  isOn: false,
  draw: () => false,
  tell() {},
  async stop() {},
};

export function startTraces(options: TracesOptions): Traces {
  const exporter = startExporter(options);
  const resource = exporter.resourceOf(options);
  return {
    isOn: true,
    draw: () => Math.random() < options.sampleRatio,
    tell(span) {
      if (isSampled(span.of)) exporter.add(toReadable(span, resource, options.version));
    },
    stop: exporter.stop,
  };
}

const isSampled = ({ isSampled }: TraceContext) => isSampled;
