import { AppError } from "../core/errors.ts";
import type { LogStream } from "../core/log-streams.ts";
import type { HttpContext } from "./context.ts";
import type { LogSocketOptions } from "./log-socket.ts";
import { streamsOf, truthOf, wholeNumberIn, wholeNumberOf } from "./query.ts";

/** Numbers of frames. */
const PLACES = { min: 0, max: Number.MAX_SAFE_INTEGER };

/** The id of the last server-sent event of a log: a client that comes with it has had all. */
export const DONE = "done";

/** How a socket is to give a log. */
export function socketOptionsOf(c: HttpContext): LogSocketOptions {
  const format = formatOf(c);
  const after = wholeNumberOf(c, "after", { ...PLACES, absent: null });
  const [isBatch, withStatus] = [truthOf(c, "batch"), truthOf(c, "status")];
  if (format === "text" && (after !== null || isBatch || withStatus)) {
    throw new AppError(
      "query_invalid",
      '"after", "batch" and "status" go with "format=json" alone',
    );
  }
  return {
    format,
    streams: logStreamsOf(c),
    after: after ?? 0,
    isBatch,
    withStatus,
    isExact: false,
  };
}

/**
 * Behind which frame a client of server-sent events wants a log: behind that of the last event that
 * it has had; a first connection may name one in `after`.
 */
export function eventPlaceOf(c: HttpContext): number | typeof DONE {
  const id = c.req.header("last-event-id") ?? "";
  if (id === DONE) return DONE;
  if (id !== "") return wholeNumberIn(id, "Last-Event-ID", PLACES);
  return wholeNumberOf(c, "after", { ...PLACES, absent: 0 });
}

export function formatOf(c: HttpContext): "text" | "json" {
  const format = c.req.query("format") ?? "text";
  if (format === "text" || format === "json") return format;
  throw new AppError("query_invalid", '"format" must be text or json');
}

/** Those that are named, the container's own where none is. */
export function logStreamsOf(c: HttpContext): LogStream[] {
  return streamsOf(c) ?? ["stdout", "stderr"];
}
