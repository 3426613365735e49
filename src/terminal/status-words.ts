import type { Status } from "../core/status.ts";
import type { Colours, Paint } from "./colours.ts";

/** The colour of an execution's status. */
export function statusPaint(status: string, colours: Colours): Paint {
  return colours[COLOURS[status as Status] ?? "reset"];
}

const COLOURS: Record<Status, "dim" | "cyan" | "green" | "red" | "yellow"> = {
  enqueued: "dim",
  pulling: "cyan",
  running: "cyan",
  done: "green",
  failed: "red",
  timedout: "red",
  stopped: "yellow",
  expired: "yellow",
};
