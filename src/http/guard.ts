import { isIP } from "node:net";
import { createMiddleware } from "hono/factory";
import { AppError } from "../core/errors.ts";
import type { HttpDeps, HttpEnv } from "./context.ts";

/**
 * Keeps web pages of others from acting through their visitor's browser. A page may send a POST
 * with any text to a server on the visitor's machine, or give its own name the address 127.0.0.1;
 * so a request that a page caused must come from a page of ours, and for a name of ours.
 */
export function guardAgainstPages(deps: Pick<HttpDeps, "publicUrl">) {
  const ownName = URL.parse(deps.publicUrl ?? "")?.hostname;
  const isOurs = (host: string) => {
    const name = URL.parse(`http://${host}`)?.hostname ?? "";
    const isAddress = isIP(name.replace(/^\[|\]$/g, "")) !== 0;
    return name === ownName || name === "localhost" || isAddress;
  };
  return createMiddleware<HttpEnv>(async (c, next) => {
    const host = c.req.header("host") ?? "";
    if (!isOurs(host)) {
      throw new AppError(
        "host_not_ours",
        "Cannot answer under this name: publicUrl of the configuration does not have it",
      );
    }
    const origin = c.req.header("origin");
    const isSafe = c.req.method === "GET" || c.req.method === "HEAD";
    const originHost = URL.parse(origin ?? "")?.host ?? "";
    const isOwnPage = originHost === host || URL.parse(deps.publicUrl ?? "")?.host === originHost;
    if (origin !== undefined && !isSafe && !isOwnPage) {
      throw new AppError("origin_not_ours", "Cannot act for a web page of another origin");
    }
    await next();
  });
}
