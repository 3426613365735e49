import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../core/errors.ts";
import type { Host } from "../farm/host.ts";
import type { Log } from "./log.ts";

/** From SIGTERM to SIGKILL. */
const GRACE_SECONDS = 10;
const TRY_AGAIN_AFTER_MS = 1_000;

/** By so much later than its deadline a container is stopped: its engine began to count before us. */
const SLACK_MS = 20;

/**
 * Stops a container when it is told to, or when its time is over: SIGTERM, then SIGKILL. An engine
 * that does not answer is asked again until the watch is disposed of. Whether the time was over when
 * the process ended, the engine's times of it tell.
 */
export function endInTime(
  { host, log }: { host: Host; log: Log },
  containerId: string,
  { remainingMs, stop }: { remainingMs: number; stop: AbortSignal },
): Disposable {
  const over = new AbortController();
  let isStopping = false;
  const stopContainer = async () => {
    if (isStopping) return;
    isStopping = true;
    while (!over.signal.aborted) {
      try {
        return await host.stop(containerId, GRACE_SECONDS);
      } catch (error) {
        log.warn({ host: host.name, containerId, error: messageOf(error) }, "could not stop");
      }
      await delay(TRY_AGAIN_AFTER_MS, undefined, { signal: over.signal }).catch(() => {});
    }
  };
  const timer = setTimeout(stopContainer, Math.max(0, remainingMs) + SLACK_MS);
  if (stop.aborted) void stopContainer();
  stop.addEventListener("abort", stopContainer, { once: true, signal: over.signal });
  return {
    [Symbol.dispose]() {
      clearTimeout(timer);
      over.abort();
    },
  };
}
