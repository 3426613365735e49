import { setTimeout as delay } from "node:timers/promises";
import { Hono } from "hono";
import { AppError } from "../core/errors.ts";
import type { Db } from "../store/connect.ts";
import { lastExecutions } from "../store/executions.ts";
import type { ExecutionRow } from "../store/schema.ts";
import type { HttpContext, HttpDeps, HttpEnv } from "./context.ts";
import { guardSocket } from "./guard.ts";
import { type LogSocketOptions, serveLog } from "./log-socket.ts";
import { operation, requireExecution, requireJob } from "./params.ts";
import { streamsOf, truthOf, wholeNumberOf } from "./query.ts";
import type { SocketHandler } from "./socket.ts";

const LOOK_FOR_FIRST_EVERY_MS = 1_000;
const JOB = "/tasks/:taskId/jobs/:jobId";

/** The logs of a job's last execution and of any execution, as WebSockets. */
export function socketRoutes(deps: HttpDeps) {
  const guard = guardSocket(deps);
  const ofExecution = async (c: HttpContext) => {
    const row = await requireExecution(deps, c);
    const options = optionsOf(c);
    return upgrade(c, (socket) => serveLog(deps, socket, async () => row, options));
  };

  return new Hono<HttpEnv>()
    .get(`${JOB}/ws`, operation("jobSocket"), guard, async (c) => {
      const { id } = await requireJob(deps, c);
      const options = optionsOf(c);
      const find = (signal: AbortSignal) => lastOrFirst(deps.db, id, signal);
      return upgrade(c, (socket) => serveLog(deps, socket, find, options));
    })
    .get(`${JOB}/executions/:executionId/ws`, operation("executionSocket"), guard, ofExecution)
    .get(
      "/tasks/:taskId/job/:jobId/executions/:executionId/ws",
      operation("executionSocket"),
      guard,
      ofExecution,
    );
}

/** @throws {AppError} `not_a_socket` unless the client asks for one. */
export function upgrade(c: HttpContext, handler: SocketHandler): Response {
  if (c.req.header("upgrade")?.toLowerCase() !== "websocket" || !c.env.upgrade(handler)) {
    throw new AppError("not_a_socket", "This URL is a WebSocket: connect to it by ws: or wss:");
  }
  return c.body(null);
}

/** The last execution of a job, or the first that it gets. */
async function lastOrFirst(
  db: Db,
  jobId: string,
  signal: AbortSignal,
): Promise<ExecutionRow | null> {
  while (!signal.aborted) {
    const [last] = await lastExecutions(db, jobId, 1);
    if (last !== undefined) return last;
    await delay(LOOK_FOR_FIRST_EVERY_MS, undefined, { signal }).catch(() => {});
  }
  return null;
}

function optionsOf(c: HttpContext): LogSocketOptions {
  const format = formatOf(c);
  const after = wholeNumberOf(c, "after", {
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    absent: null,
  });
  const [isBatch, withStatus] = [truthOf(c, "batch"), truthOf(c, "status")];
  if (format === "text" && (after !== null || isBatch || withStatus)) {
    throw new AppError(
      "query_invalid",
      '"after", "batch" and "status" go with "format=json" alone',
    );
  }
  return {
    format,
    streams: streamsOf(c) ?? ["stdout", "stderr"],
    after: after ?? 0,
    isBatch,
    withStatus,
  };
}

export function formatOf(c: HttpContext): "text" | "json" {
  const format = c.req.query("format") ?? "text";
  if (format === "text" || format === "json") return format;
  throw new AppError("query_invalid", '"format" must be text or json');
}
