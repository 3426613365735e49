import { Hono } from "hono";
import { AppError } from "../core/errors.ts";
import { lastExecutions } from "../store/executions.ts";
import type { ExecutionRow } from "../store/schema.ts";
import type { HttpContext, HttpDeps, HttpEnv } from "./context.ts";
import { protocolsOf, SOCKET_PROTOCOL } from "./credentials.ts";
import { guardSocket } from "./guard.ts";
import { socketOptionsOf } from "./log-options.ts";
import { serveLog } from "./log-socket.ts";
import { operation, requireExecution, requireJob } from "./params.ts";
import { CLOSED, type SocketHandler } from "./socket.ts";

const JOB = "/tasks/:taskId/jobs/:jobId";

/** The logs of a job's last execution and of any execution, as WebSockets. */
export function socketRoutes(deps: HttpDeps) {
  const guard = guardSocket(deps);
  const ofExecution = async (c: HttpContext) => {
    const row = await requireExecution(deps, c);
    const options = socketOptionsOf(c);
    return upgrade(deps, c, "ws", (socket) => serveLog(deps, socket, async () => row, options));
  };

  return new Hono<HttpEnv>()
    .get(`${JOB}/ws`, operation("jobSocket"), guard, async (c) => {
      const { id } = await requireJob(deps, c);
      const options = socketOptionsOf(c);
      const find = (signal: AbortSignal) => lastOrFirst(deps, id, signal);
      return upgrade(deps, c, "ws", (socket) => serveLog(deps, socket, find, options));
    })
    .get(`${JOB}/executions/:executionId/ws`, operation("executionSocket"), guard, ofExecution)
    .get(
      "/tasks/:taskId/job/:jobId/executions/:executionId/ws",
      operation("executionSocket"),
      guard,
      ofExecution,
    );
}

/**
 * @param otherwise Called where it does not come to a socket.
 * @throws {AppError} `not_a_socket` unless the client asks for one.
 */
export function upgrade(
  { metrics }: Pick<HttpDeps, "metrics">,
  c: HttpContext,
  kind: "ws" | "tail",
  handler: SocketHandler,
  otherwise: () => void = () => {},
): Response {
  const session = c.get("session");
  const serve: SocketHandler = (socket) => {
    const leave = session.follow((reason) => {
      const [code, text] = CLOSED[reason];
      socket.close(code, text);
    });
    const close = metrics.streamOpened(kind);
    for (const end of [leave, close]) socket.closed.addEventListener("abort", end, { once: true });
    if (socket.closed.aborted) close();
    handler(socket);
  };
  const isSocket = isAskedFor(c) && c.env.upgrade(serve, protocolHeaders(c));
  if (isSocket) {
    c.set("isSocket", true);
    return c.body(null);
  }
  otherwise();
  throw notASocket();
}

/** A browser drops a socket that takes up none of the protocols that it has offered. */
function protocolHeaders(c: HttpContext): Record<string, string> {
  const isOffered = protocolsOf(c).includes(SOCKET_PROTOCOL);
  return isOffered ? { "sec-websocket-protocol": SOCKET_PROTOCOL } : {};
}

/** @throws {AppError} `not_a_socket` unless the client asks for one. */
export function requireUpgrade(c: HttpContext): void {
  if (!isAskedFor(c)) throw notASocket();
}

const isAskedFor = (c: HttpContext) => c.req.header("upgrade")?.toLowerCase() === "websocket";
const notASocket = () =>
  new AppError("not_a_socket", "This URL is a WebSocket: connect to it by ws: or wss:");

/** The last execution of a job, or the first that it gets. */
async function lastOrFirst(
  { db, watch }: Pick<HttpDeps, "db" | "watch">,
  jobId: string,
  signal: AbortSignal,
): Promise<ExecutionRow | null> {
  const [last] = await lastExecutions(db, jobId, 1);
  let found = last ?? null;
  while (found === null && !signal.aborted) found = await watch.nextOfJob(jobId);
  return found;
}
