import { backoffMs } from "./backoff.ts";

/** The wait before a delivery's next try is never longer than this, unless the receiver asks for it. */
const LONGEST_WAIT_MS = 3_600_000;

/** How a try of a delivery came out, as far as it decides about another. */
export interface TryOutcome {
  ok: boolean;
  /** There is no use in another. */
  isFinal: boolean;
  /** What the receiver asked for. */
  retryAfterSeconds: number | null;
}

/**
 * How long to wait before a delivery is tried again.
 *
 * @param tries How often it was tried, this time included.
 * @param random A number in [0, 1), by which those that failed together are spread.
 * @returns Milliseconds; `null` when it is not.
 */
export function nextTryMs(
  { minMs, factor }: { minMs: number; factor: number },
  { tries, maxTries }: { tries: number; maxTries: number },
  { ok, isFinal, retryAfterSeconds }: TryOutcome,
  random: number,
): number | null {
  if (ok || isFinal || tries >= maxTries) return null;
  const usual = backoffMs({ minMs, factor, maxMs: LONGEST_WAIT_MS }, tries, random);
  return Math.max(usual, (retryAfterSeconds ?? 0) * 1_000);
}
