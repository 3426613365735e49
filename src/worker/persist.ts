import { setTimeout as delay } from "node:timers/promises";
import { isDatabaseDown } from "../store/faults.ts";

const RETRY_EVERY_MS = 250;

/** Thrown out of work that was told to stop; whoever owns the host next goes on with it. */
export class Abandoned extends Error {
  override readonly name = "Abandoned";
}

/**
 * Makes a change to the store, again and again while Postgres cannot be reached: what a container
 * did must be written however long that takes. The change must bear to be made twice.
 *
 * @throws {Abandoned} If the signal says that it is no longer ours to write.
 */
export async function persist<T>(signal: AbortSignal, change: () => Promise<T>): Promise<T> {
  for (;;) {
    if (signal.aborted)
      throw new Abandoned("Given up: the host is no longer attended by this node");
    try {
      return await change();
    } catch (error) {
      if (!isDatabaseDown(error)) throw error;
    }
    await delay(RETRY_EVERY_MS, undefined, { signal }).catch(() => {});
  }
}
