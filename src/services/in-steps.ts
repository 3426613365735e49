import type { Amount, Pause } from "../core/pruned.ts";

/** Does a step again and again until there is nothing left to do. */
export async function inSteps(pause: Pause, step: () => Promise<Amount>): Promise<Amount> {
  const sum: Amount = { count: 0, bytes: 0 };
  for (;;) {
    await pause();
    const { count, bytes } = await step();
    if (count === 0) return sum;
    sum.count += count;
    sum.bytes += bytes;
  }
}
