import { Hono } from "hono";
import { AppError } from "../core/errors.ts";
import { connectionEnds, cors, gzip, requestIds } from "./around.ts";
import { auditRoutes } from "./audit-routes.ts";
import { authentication } from "./authentication.ts";
import type { HttpContext, HttpDeps, HttpEnv } from "./context.ts";
import { deliveryRoutes } from "./delivery-routes.ts";
import { docsRoutes } from "./docs-routes.ts";
import { enqueueRoutes } from "./enqueue-routes.ts";
import { answerError } from "./errors.ts";
import { eventRoutes } from "./event-routes.ts";
import { executionRoutes } from "./execution-routes.ts";
import { guardAgainstPages, guardNames } from "./guard.ts";
import { hostRoutes } from "./host-routes.ts";
import { jobRoutes } from "./job-routes.ts";
import { manyRoutes } from "./many-routes.ts";
import { metricsRoutes } from "./metrics-routes.ts";
import { pruneRoutes } from "./prune-routes.ts";
import { serviceRoutes } from "./service-routes.ts";
import { socketRoutes } from "./socket-routes.ts";
import { streamRoutes } from "./stream-routes.ts";
import { tailRoutes } from "./tail-routes.ts";
import { taskRoutes } from "./task-routes.ts";
import { tokenRoutes } from "./token-routes.ts";
import { transferRoutes } from "./transfer-routes.ts";

/** The whole HTTP API, every route with and without a slash at its end. */
export function createHttpApp(deps: HttpDeps) {
  const app = new Hono<HttpEnv>({ getPath: pathOf });
  app.use(connectionEnds(deps), requestIds(deps), gzip(), guardNames(deps), cors(deps));
  app.use(guardAgainstPages(deps));
  app.use(authentication(deps));
  app.onError((error, c) => answerError(deps, error, c));
  app.notFound((c) => answerNoRoute(deps, app.routes, c));
  // Chained, so that the typed client knows them all.
  return app
    .route("/", enqueueRoutes(deps))
    .route("/", taskRoutes(deps))
    .route("/", jobRoutes(deps))
    .route("/", executionRoutes(deps))
    .route("/", eventRoutes(deps))
    .route("/", socketRoutes(deps))
    .route("/", streamRoutes(deps))
    .route("/", tailRoutes(deps))
    .route("/", deliveryRoutes(deps))
    .route("/", manyRoutes(deps))
    .route("/", hostRoutes(deps))
    .route("/", auditRoutes(deps))
    .route("/", tokenRoutes(deps))
    .route("/", pruneRoutes(deps))
    .route("/", transferRoutes(deps))
    .route("/", serviceRoutes(deps))
    .route("/", metricsRoutes(deps))
    .route("/", docsRoutes(deps));
}

/** A path that other methods serve is told apart from one that nothing serves. */
function answerNoRoute(
  deps: HttpDeps,
  routes: readonly { method: string; path: string }[],
  c: HttpContext,
): Response {
  const methods = routes.flatMap(({ method, path }) =>
    method !== "ALL" && expressionOf(path).test(c.req.path) ? [method] : [],
  );
  if (methods.length === 0) {
    return answerError(deps, new AppError("route_not_found", "There is nothing at this URL"), c);
  }
  const withHead = methods.includes("GET") ? [...methods, "HEAD"] : methods;
  const allow = [...new Set([...withHead, "OPTIONS"])].sort().join(", ");
  if (c.req.method === "OPTIONS") return c.body(null, 204, { allow });
  const error = new AppError(
    "method_not_allowed",
    `${c.req.method} is not allowed at this URL, only ${allow}`,
  );
  const response = answerError(deps, error, c);
  response.headers.set("allow", allow);
  return response;
}

const expressionOf = (path: string) =>
  new RegExp(`^${path.replaceAll(".", "\\.").replace(/:\w+/g, "[^/]+")}$`);

/** As `URL` tells it, which is only asked where there may be dots to be put in order. */
function pathnameOf(url: string): string {
  const begin = url.indexOf("/", url.indexOf("//") + 2);
  const end = url.slice(begin).search(/[?#]/);
  const path = end < 0 ? url.slice(begin) : url.slice(begin, begin + end);
  if (begin >= 0 && !/[.\\]|%2e/i.test(path)) return path;
  // With a Host that is none it is no URL; that is refused before the path is asked for.
  return URL.parse(url)?.pathname ?? "/";
}

/**
 * The path as it was sent, still percent-encoded, without the slash at its end. Two slashes are one:
 * some URLs of answers end with one, and a client may put the next part behind it.
 */
function pathOf(request: Request): string {
  const path = pathnameOf(request.url).replace(/\/{2,}/g, "/");
  return path.length > 1 ? path.replace(/\/+$/, "") || "/" : path;
}
