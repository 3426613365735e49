import type { Status } from "./status.ts";

/** What of an execution the world can be told. */
export const EVENTS = ["starts", "succeeds", "fails", "finishes"] as const;
export type Event = (typeof EVENTS)[number];

/** What an end is to those who are told of it: each is a `finishes`, and some are more. */
export function eventsOfEnd(status: Status): Event[] {
  switch (status) {
    case "done":
      return ["succeeds", "finishes"];
    case "failed":
    case "timedout":
      return ["fails", "finishes"];
    case "stopped":
    case "expired":
      return ["finishes"];
    default:
      return [];
  }
}
