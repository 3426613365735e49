import type { ExecutionRow } from "../store/schema.ts";
import type { HttpContext, HttpDeps } from "./context.ts";
import { followedText, frameLines, writtenText } from "./log-parts.ts";
import { type LogQuery, logQueryOf, type TextKind } from "./log-query.ts";
import { whileAllowed } from "./session.ts";
import { bodyOf } from "./text-body.ts";
import { isWholeText, wholeTextAnswer } from "./whole-text.ts";

type TextDeps = Pick<HttpDeps, "db" | "logs" | "log" | "stopping">;

const TYPES = { text: "text/plain; charset=utf-8", ndjson: "application/x-ndjson" };
/** A name of a file may have 255 bytes, and a character four. */
const NAME_LENGTH = 40;

/**
 * A log as plain text: one stream, or both of the container with the reference's line between them;
 * or as lines of JSON, in the order in which they were written.
 */
export async function textAnswer(
  deps: TextDeps,
  c: HttpContext,
  row: ExecutionRow,
  route: TextKind,
): Promise<Response> {
  const query = logQueryOf(c, route);
  const headers = headersOf(row, route, query);
  if (isWholeText(row, query)) return await wholeTextAnswer(deps, c, row, query, headers);
  if (c.req.method === "HEAD") return c.body(null, 200, headers);
  if (query.isFollowing) c.env.mayBeSilent();
  return c.body(bodyOf(deps, partsOf(deps, c, row, query)), 200, headers);
}

function partsOf(deps: TextDeps, c: HttpContext, row: ExecutionRow, query: LogQuery) {
  const signal = AbortSignal.any([deps.stopping, c.req.raw.signal]);
  return whileAllowed(c.get("session"), signal, (until) => {
    if (query.format === "ndjson") return frameLines(deps, row, query, until);
    if (query.isFollowing) return followedText(deps, row, query, until);
    return writtenText(deps, row, query);
  });
}

function headersOf(row: ExecutionRow, route: TextKind, query: LogQuery): Record<string, string> {
  const { exitCode } = row;
  return {
    "content-type": TYPES[query.format],
    "x-content-type-options": "nosniff",
    ...(exitCode === null ? {} : { "fastlane-exit-code": String(exitCode) }),
    ...(query.isDownload ? { "content-disposition": attachment(row, route, query) } : {}),
  };
}

/** As RFC 6266 has it, with a name in ASCII for those who do not read RFC 8187. */
function attachment({ id, taskId }: ExecutionRow, route: TextKind, { format }: LogQuery): string {
  // Neither what a path, a shell or a header may take for its own, nor "." or "-" at the beginning.
  const safe = taskId.replace(/[^\p{L}\p{M}\p{N}_.-]|^[.-]/gu, "_");
  const task = [...safe].slice(0, NAME_LENGTH).join("");
  const name = `${task}-${id}-${route}.${format === "text" ? "txt" : "ndjson"}`;
  const ascii = name.replace(/[^\x20-\x7e]/gu, "_");
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encodeURIComponent(name)}`;
}
