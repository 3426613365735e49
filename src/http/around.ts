import { COMPRESSIBLE_CONTENT_TYPE_REGEX, compress } from "hono/compress";
import { createMiddleware } from "hono/factory";
import type { HttpContext, HttpDeps, HttpEnv } from "./context.ts";

const REQUEST_ID = /^[\w.:/+=@-]{1,200}$/;
const TAKES_GZIP = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i;
const METHODS = "GET, HEAD, POST, PUT, DELETE, OPTIONS";
const EXPOSED =
  "Fastlane-Exit-Code, X-Request-ID, Retry-After, WWW-Authenticate, Accept-Ranges, Content-Range, Content-Disposition, ETag";
const PREFLIGHT_SECONDS = 600;

/** Gives each request an id, the client's own where it is a fit one, and tells the log of its answer. */
export function requestIds({ log, metrics }: Pick<HttpDeps, "log" | "metrics">) {
  return createMiddleware<HttpEnv>(async (c, next) => {
    const begun = performance.now();
    const given = c.req.header("x-request-id") ?? "";
    const requestId = REQUEST_ID.test(given) ? given : crypto.randomUUID();
    c.set("requestId", requestId);
    c.set("receivedAt", new Date());
    // Before the answer is made: a header that is added to one makes a stream of its body.
    c.header("x-request-id", requestId);
    await next();
    const { method, path } = c.req;
    const durationMs = performance.now() - begun;
    const operation = c.get("operation") ?? "route";
    const status = c.get("isSocket") ? 101 : c.res.status;
    metrics.requested({ operation, method, status, seconds: durationMs / 1_000 });
    const fields = { requestId, method, path, operation, status };
    const level = status >= 500 ? "warn" : "debug";
    log[level]({ ...fields, durationMs: Math.round(durationMs) }, "request");
  });
}

/**
 * Has clients open no further request on a connection that is about to be closed: one that comes
 * just then would be lost, and not every client may repeat it.
 */
export function connectionEnds({ leaving }: Pick<HttpDeps, "leaving">) {
  return createMiddleware<HttpEnv>(async (c, next) => {
    if (leaving.aborted) c.header("connection", "close");
    await next();
    const isTold = !leaving.aborted || c.res.headers.has("connection");
    if (!isTold && c.res.status !== 101) c.res.headers.set("connection", "close");
  });
}

/**
 * Lets pages of the configured origins ask. Credentials of the browser are never let in: a page
 * says who asks by itself.
 */
export function cors({ corsOrigins }: Pick<HttpDeps, "corsOrigins">) {
  return createMiddleware<HttpEnv>(async (c, next) => {
    const origin = c.req.header("origin");
    const isAll = corsOrigins.includes("*");
    const allowed = origin !== undefined && (isAll || corsOrigins.includes(origin));
    const isPreflight = c.req.method === "OPTIONS" && c.req.header("access-control-request-method");
    if (allowed && isPreflight) {
      const asked = c.req.header("access-control-request-headers");
      c.header("access-control-allow-methods", METHODS);
      if (asked !== undefined) c.header("access-control-allow-headers", asked);
      c.header("access-control-max-age", String(PREFLIGHT_SECONDS));
      allowOrigin(c, isAll, origin);
      return c.body(null, 204);
    }
    if (allowed) {
      allowOrigin(c, isAll, origin);
      c.header("access-control-expose-headers", EXPOSED);
    }
    return await next();
  });
}

function allowOrigin(c: HttpContext, isAll: boolean, origin: string): void {
  c.header("access-control-allow-origin", isAll ? "*" : origin);
  if (!isAll) c.header("vary", "Origin", { append: true });
}

/** Compresses JSON and text for clients that take it, but not what is to be seen as it comes. */
export function gzip() {
  const contentTypeFilter = (type: string) =>
    COMPRESSIBLE_CONTENT_TYPE_REGEX.test(type) || type === "application/x-ndjson";
  const compressing = compress({ encoding: "gzip", contentTypeFilter });
  return createMiddleware<HttpEnv>(async (c, next) => {
    const takes = TAKES_GZIP.test(c.req.header("accept-encoding") ?? "");
    const isFollowing = !["false", "0"].includes(c.req.query("follow") ?? "false");
    if (!takes || isFollowing) return await next();
    return await compressing(c, next);
  });
}
