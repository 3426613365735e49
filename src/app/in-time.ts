import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../core/errors.ts";
import type { Log } from "../worker/log.ts";

/**
 * Waits for a part to stop, for so long and no longer: what hangs is left behind, since it ends with
 * the process. Never rejects.
 */
export async function inTime(
  log: Pick<Log, "warn">,
  part: string,
  limitMs: number,
  stop: () => Promise<void>,
): Promise<void> {
  const patience = new AbortController();
  const late = delay(Math.max(0, limitMs), "late" as const, { signal: patience.signal });
  const stopped = stop().catch((error: unknown) => {
    log.warn({ part, error: messageOf(error) }, "could not stop");
  });
  const outcome = await Promise.race([stopped, late.catch(() => {})]);
  patience.abort();
  if (outcome === "late") log.warn({ part }, "did not stop in time, and is left behind");
}
