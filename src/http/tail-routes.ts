import { Hono } from "hono";
import { AppError } from "../core/errors.ts";
import { shortText } from "../payload/limits.ts";
import { faultOfExpression } from "../store/expressions.ts";
import type { TailFilter, TailReader } from "../stream/tail-reader.ts";
import type { HttpContext, HttpDeps, HttpEnv } from "./context.ts";
import { guardOpenSocket } from "./guard.ts";
import { formatOf, logStreamsOf } from "./log-options.ts";
import { closeWhenStopping, type LogSocketDeps } from "./log-socket.ts";
import { hostsFiltered } from "./named-hosts.ts";
import { operation } from "./params.ts";
import { parsedOf } from "./query.ts";
import { CLOSED, type Socket } from "./socket.ts";
import { requireUpgrade, upgrade } from "./socket-routes.ts";
import { tailMessages } from "./tail-messages.ts";

/** A message is not longer, in UTF-16 units, unless a single line is. */
const MESSAGE_LENGTH = 32 * 1024;

/** The logs of all executions that run and fit, over one WebSocket. */
export function tailRoutes(deps: HttpDeps) {
  return new Hono<HttpEnv>().get(
    "/tail/ws",
    operation("tailSocket"),
    guardOpenSocket(deps),
    async (c) => {
      requireUpgrade(c);
      const format = formatOf(c);
      const reader = await deps.tail.open(await tailFilterOf(deps, c));
      return upgrade(
        deps,
        c,
        "tail",
        (socket) => void serveTail(deps, socket, reader, format),
        () => reader.close(),
      );
    },
  );
}

/** @throws {AppError} `query_invalid`; also for an expression that is none, or too slow a one. */
async function tailFilterOf({ db, plan }: HttpDeps, c: HttpContext): Promise<TailFilter> {
  const task = parsedOf(c.req.query("task"), "task", shortText(400)) ?? null;
  const host = parsedOf(c.req.query("host"), "host", shortText(1_000));
  const match = parsedOf(c.req.query("match"), "match", shortText(1_000)) ?? null;
  const streams = logStreamsOf(c);
  const fault = match === null ? null : await faultOfExpression(db, match);
  if (fault !== null) throw new AppError("query_invalid", `"match" ${fault}`);
  return {
    task,
    hosts: host === undefined ? null : hostsFiltered(plan.pools, host),
    matches: [match, c.get("actor").taskMatch].filter((one) => one !== null),
    streams,
  };
}

async function serveTail(
  deps: Pick<LogSocketDeps, "stopping">,
  socket: Socket,
  reader: TailReader,
  format: "text" | "json",
): Promise<void> {
  closeWhenStopping(deps, socket);
  socket.closed.addEventListener("abort", () => reader.close(), { once: true });
  if (socket.closed.aborted) reader.close();
  for (;;) {
    const news = await reader.next(MESSAGE_LENGTH);
    if (news === null) break;
    const isFull = tailMessages(news, format).filter((text) => !socket.send(text)).length > 0;
    if (isFull) await socket.drained();
  }
  if (!socket.closed.aborted) socket.close(...CLOSED.refused);
}
