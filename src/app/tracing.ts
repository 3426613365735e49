import { tracesOf } from "../config/traces.ts";
import { NO_TRACES, startTraces, type Traces } from "../traces/traces.ts";
import type { AppOptions } from "./options.ts";

/** What the parts tell of their work, where a collector is configured. */
export function beginTraces({ config, version, log }: AppOptions): Traces {
  const collector = tracesOf(config);
  return collector === null ? NO_TRACES : startTraces({ ...collector, version, log });
}
