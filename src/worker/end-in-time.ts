import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../core/errors.ts";
import type { Host } from "../farm/host.ts";
import type { Log } from "./log.ts";

/** From SIGTERM to SIGKILL. */
const GRACE_SECONDS = 10;
const TRY_AGAIN_AFTER_MS = 1_000;

/** The watch over a running container that must not run on for ever. */
export interface Ending extends Disposable {
  /** Whether its time was over while it was watched. */
  readonly hasTimedOut: boolean;
}

/**
 * Stops a container when it is told to, or when its time is over: SIGTERM, then SIGKILL. An engine
 * that does not answer is asked again until the container is no longer watched.
 */
export function endInTime(
  { host, log }: { host: Host; log: Log },
  containerId: string,
  { remainingMs, stop }: { remainingMs: number; stop: AbortSignal },
): Ending {
  const over = new AbortController();
  let hasTimedOut = false;
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
  const timer = setTimeout(
    () => {
      hasTimedOut = true;
      void stopContainer();
    },
    Math.max(0, remainingMs),
  );
  if (stop.aborted) void stopContainer();
  stop.addEventListener("abort", stopContainer, { once: true, signal: over.signal });
  return {
    get hasTimedOut() {
      return hasTimedOut;
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
      over.abort();
    },
  };
}
