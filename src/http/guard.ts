import { isIP } from "node:net";
import { createMiddleware } from "hono/factory";
import { AppError } from "../core/errors.ts";
import type { HttpContext, HttpDeps, HttpEnv } from "./context.ts";

const NO_SOCKET = "Cannot open a socket for a web page of another origin";

/**
 * Answers under names of ours alone. A page of somebody else's may give its own name the address
 * 127.0.0.1, and would then be of the same origin as we.
 */
export function guardNames(deps: Pick<HttpDeps, "publicUrl">) {
  const ownName = URL.parse(deps.publicUrl ?? "")?.hostname;
  // Nearly all ask under one name.
  let lastOurs: string | null = null;
  return createMiddleware<HttpEnv>(async (c, next) => {
    const host = c.req.header("host") ?? "";
    if (host !== lastOurs && isName(host, ownName)) lastOurs = host;
    if (host !== lastOurs) {
      throw new AppError(
        "host_not_ours",
        "Cannot answer under this name: publicUrl of the configuration does not have it",
      );
    }
    await next();
  });
}

/** Whether a request's Host is an address, the machine itself, or our name. */
export function isName(host: string, ownName: string | undefined): boolean {
  // With a part of a path in it, it is no name, and the request's URL is none.
  if (/[\s/\\?#@]/.test(host)) return false;
  const name = URL.parse(`http://${host}`)?.hostname ?? "";
  const isAddress = isIP(name.replace(/^\[|\]$/g, "")) !== 0;
  return name === ownName || name === "localhost" || isAddress;
}

/**
 * Keeps web pages of others from acting through their visitor's browser. A page may send a POST
 * with any text to a server on the visitor's machine; so a request that a page caused must come
 * from a page of ours, or of an origin that the configuration lets in. Where credentials are asked
 * for, "*" lets nobody act: the browser might add the visitor's. A browser that leaves the origin out
 * tells by Sec-Fetch-Site, which no page can write, that another site asks.
 */
export function guardAgainstPages(
  deps: Pick<HttpDeps, "publicUrl" | "corsOrigins" | "requiresAuthentication">,
) {
  return createMiddleware<HttpEnv>(async (c, next) => {
    const origin = c.req.header("origin");
    const isSafe = ["GET", "HEAD", "OPTIONS"].includes(c.req.method);
    const isOthers =
      origin === undefined
        ? /^(cross|same)-site$/i.test(c.req.header("sec-fetch-site") ?? "")
        : !isLetIn(deps, origin) && isForeign(deps, c, origin);
    if (!isSafe && isOthers) {
      throw new AppError("origin_not_ours", "Cannot act for a web page of another origin");
    }
    await next();
  });
}

/**
 * Keeps web pages of others from reading over a WebSocket, which no rule of browsers does. Where no
 * credentials are asked for, a page has to know the id of what it reads.
 */
export function guardSocket(
  deps: Pick<HttpDeps, "publicUrl" | "corsOrigins" | "requiresAuthentication">,
) {
  return createMiddleware<HttpEnv>(async (c, next) => {
    const origin = c.req.header("origin");
    const mayRead =
      origin === undefined || !deps.requiresAuthentication || deps.corsOrigins.includes(origin);
    if (!mayRead && isForeign(deps, c, origin)) {
      throw new AppError("origin_not_ours", NO_SOCKET);
    }
    await next();
  });
}

/** The same for a WebSocket that needs no id: a page must always be one that is let in. */
export function guardOpenSocket(
  deps: Pick<HttpDeps, "publicUrl" | "corsOrigins" | "requiresAuthentication">,
) {
  return createMiddleware<HttpEnv>(async (c, next) => {
    const origin = c.req.header("origin");
    if (origin !== undefined && !isLetIn(deps, origin) && isForeign(deps, c, origin)) {
      throw new AppError("origin_not_ours", NO_SOCKET);
    }
    await next();
  });
}

/** Whether the configuration lets pages of an origin act. */
function isLetIn(
  { corsOrigins, requiresAuthentication }: Pick<HttpDeps, "corsOrigins" | "requiresAuthentication">,
  origin: string,
): boolean {
  return corsOrigins.includes(origin) || (corsOrigins.includes("*") && !requiresAuthentication);
}

/** Whether a request was caused by a page that is not ours. */
function isForeign(
  { publicUrl }: Pick<HttpDeps, "publicUrl">,
  c: HttpContext,
  origin: string,
): boolean {
  const originHost = URL.parse(origin)?.host ?? "";
  const isOwn =
    originHost === c.req.header("host") || URL.parse(publicUrl ?? "")?.host === originHost;
  return !isOwn;
}
