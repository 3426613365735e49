/** The smallest value that the given part of all values does not exceed. @param part 0 to 1. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)];
  if (value === undefined) throw new Error("Cannot take a percentile: there are no values");
  return value;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

export interface Spread {
  samples: number;
  p50: number;
  p95: number;
}

export function spreadOf(values: readonly number[]): Spread {
  return { samples: values.length, p50: percentile(values, 0.5), p95: percentile(values, 0.95) };
}
