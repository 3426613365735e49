import * as v from "valibot";

/**
 * What the queue can carry: ids only, parsed again on the way out. A message is a hurry-up and
 * never lives as long as a container; what it is about stands in rows.
 */
export const MESSAGES = {
  /** Give what waits in a pool to its hosts. */
  dispatch: v.strictObject({ pool: v.string() }),
  /** Decide the ticks of a job's schedule that are due. */
  fire: v.strictObject({ jobId: v.string() }),
  /** Tell the collector of an execution that has ended, with when the writing of that began and ended. */
  trace: v.strictObject({ executionId: v.string(), from: v.string(), to: v.string() }),
} as const;

export type MessageName = keyof typeof MESSAGES;
export type Message<Name extends MessageName> = v.InferOutput<(typeof MESSAGES)[Name]>;
