export interface Backoff {
  minMs: number;
  factor: number;
  maxMs: number;
}

/**
 * How long to wait before the next try.
 *
 * @param failures How often it has failed in a row, counted from 1.
 * @param random A number in [0, 1): the upper half of the delay is spread by it, so that what
 *   failed together does not come back together.
 * @returns Milliseconds, between half the delay and the whole of it.
 */
export function backoffMs(backoff: Backoff, failures: number, random: number): number {
  const full = Math.min(backoff.maxMs, backoff.minMs * backoff.factor ** (failures - 1));
  return Math.round(full / 2 + (full / 2) * random);
}
