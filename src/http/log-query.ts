import { AppError } from "../core/errors.ts";
import type { LogStream } from "../core/log-streams.ts";
import type { HttpContext } from "./context.ts";
import { momentOrAgoOf, streamsOf, truthOf, wholeNumberOf } from "./query.ts";

/** The text routes. */
export type TextKind = "logs" | "stdout" | "stderr";

/** What of a log is asked for, and how. */
export interface LogQuery {
  format: "text" | "ndjson";
  /** In which order is of no account. */
  streams: readonly LogStream[];
  /** Only so many of the last lines. */
  tail: number | null;
  since: Date | null;
  /** The number of the frame behind which to begin; 0 is the beginning. */
  after: number;
  /** Whether frames that are not UTF-8 by themselves have their bytes in base64. */
  isExact: boolean;
  isFollowing: boolean;
  isDownload: boolean;
}

const MAX_TAIL = 1_000_000;

/** @throws {AppError} `query_invalid`, naming the key and what is allowed. */
export function logQueryOf(c: HttpContext, route: TextKind): LogQuery {
  const format = formatOf(c);
  const after = wholeNumberOf(c, "after", { min: 0, max: Number.MAX_SAFE_INTEGER, absent: null });
  if (format === "text" && after !== null) {
    throw new AppError("query_invalid", '"after" goes with "format=ndjson" alone');
  }
  const isExact = truthOf(c, "exact");
  if (format === "text" && isExact) {
    throw new AppError("query_invalid", '"exact" goes with "format=ndjson" alone');
  }
  return {
    format,
    streams: wantedStreams(c, route, format),
    tail: wholeNumberOf(c, "tail", { min: 1, max: MAX_TAIL, absent: null }),
    since: momentOrAgoOf(c, "since"),
    after: after ?? 0,
    isExact,
    isFollowing: truthOf(c, "follow"),
    isDownload: truthOf(c, "download"),
  };
}

function formatOf(c: HttpContext): LogQuery["format"] {
  const format = c.req.query("format") ?? "text";
  if (format === "text" || format === "ndjson") return format;
  throw new AppError("query_invalid", '"format" must be text or ndjson');
}

function wantedStreams(c: HttpContext, route: TextKind, format: LogQuery["format"]): LogStream[] {
  const named = streamsOf(c);
  if (route !== "logs") {
    if (named === null) return [route];
    throw new AppError("query_invalid", '"stream" goes with logs/ alone');
  }
  if (named !== null && named.length > 1 && format === "text") {
    throw new AppError("query_invalid", '"stream" may be repeated with "format=ndjson" alone');
  }
  return named ?? ["stdout", "stderr"];
}
