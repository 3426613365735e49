import type { Status } from "./status.ts";

/**
 * What is there of the log of an execution that has ended: all of it; all but what was left out in
 * its middle, since it was larger than logs are kept; or not all, and nobody knows what is missing.
 */
export const LOG_STATES = ["complete", "truncated", "gap"] as const;
export type LogState = (typeof LOG_STATES)[number];

/** Whose logs of a day there are. */
export type KeptLogs = "all" | "failed" | "none";

/** What counts as failed to those who keep logs: its log is kept for longer. */
export const KEPT_LONGER = ["failed", "timedout"] as const;

/** Whether a log is there no more, whatever it was. @param kept What is, of its day. */
export function isLogDropped(kept: KeptLogs, status: Status): boolean {
  return kept === "none" || (kept === "failed" && !KEPT_LONGER.some((longer) => longer === status));
}
