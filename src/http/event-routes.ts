import { Hono } from "hono";
import { isDatabaseDown } from "../store/faults.ts";
import type { HttpContext, HttpDeps, HttpEnv } from "./context.ts";
import { COME_AGAIN, logEvents } from "./log-events.ts";
import { DONE, eventPlaceOf, logStreamsOf } from "./log-options.ts";
import { operation, requireExecution } from "./params.ts";
import { truthOf } from "./query.ts";
import { whileAllowed } from "./session.ts";
import { bodyOf } from "./text-body.ts";

const TYPE = "text/event-stream";
const HEADERS = {
  "content-type": `${TYPE}; charset=utf-8`,
  "cache-control": "no-store",
  // nginx would hold back what is not yet much.
  "x-accel-buffering": "no",
};

/** The same parts, counted as open from when the first is asked for. */
async function* counted<Part>(
  { metrics }: Pick<HttpDeps, "metrics">,
  parts: AsyncGenerator<Part>,
): AsyncGenerator<Part> {
  const close = metrics.streamOpened("sse");
  try {
    yield* parts;
  } finally {
    close();
  }
}

/** An execution's log and state as server-sent events. */
export function eventRoutes(deps: HttpDeps) {
  return new Hono<HttpEnv>()
    .onError((error, c) => {
      // A browser asks again after an answer without events, and never after a 503.
      const isComing = c.req.header("accept")?.includes(TYPE) === true;
      if (!isComing || !isDatabaseDown(error)) throw error;
      return c.body(COME_AGAIN, { headers: HEADERS });
    })
    .get(
      "/tasks/:taskId/jobs/:jobId/executions/:executionId/events",
      operation("getExecutionEvents"),
      async (c: HttpContext) => {
        const row = await requireExecution(deps, c);
        const [after, streams] = [eventPlaceOf(c), logStreamsOf(c)];
        const isExact = truthOf(c, "exact");
        // A client that was told the end asks no more after this.
        if (after === DONE) return c.body(null, 204);
        c.env.mayBeSilent();
        const signal = AbortSignal.any([deps.stopping, c.req.raw.signal]);
        const events = whileAllowed(c.get("session"), signal, (until) =>
          logEvents(deps, row, { after, streams, isExact }, until),
        );
        return c.body(bodyOf(deps, counted(deps, events)), { headers: HEADERS });
      },
    );
}
