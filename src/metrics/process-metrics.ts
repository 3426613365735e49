import { collectDefaultMetrics, type Registry } from "prom-client";

/**
 * What prom-client tells of every process and Bun 1.4.5 does not know: it makes up the parts of the
 * heap, has a heap smaller than what is used of it, no handles, no collections, and says that it is
 * some version of Node. JavaScriptCore reserves gigabytes that it never uses, which makes sizes of the
 * address space of no account. The plain lag is what the scrape itself has held up.
 */
const NONSENSE = [
  "nodejs_active_handles",
  "nodejs_active_handles_total",
  "nodejs_active_requests",
  "nodejs_active_requests_total",
  "nodejs_active_resources",
  "nodejs_active_resources_total",
  "nodejs_eventloop_lag_seconds",
  "nodejs_external_memory_bytes",
  "nodejs_gc_duration_seconds",
  "nodejs_heap_size_total_bytes",
  "nodejs_heap_space_size_available_bytes",
  "nodejs_heap_space_size_total_bytes",
  "nodejs_heap_space_size_used_bytes",
  "nodejs_version_info",
  "process_heap_bytes",
  "process_virtual_memory_bytes",
];

/** CPU, memory, files and the delay of the event loop of this process, under their usual names. */
export function processMetrics(register: Registry): void {
  collectDefaultMetrics({ register });
  for (const name of NONSENSE) register.removeSingleMetric(name);
}
