import { Hono } from "hono";
import * as v from "valibot";
import { STATUSES } from "../core/status.ts";
import { parseFilterBody } from "../payload/filter.ts";
import { shortText } from "../payload/limits.ts";
import { retryMany, stopMany } from "../services/many.ts";
import { type ExecutionFilter, listExecutions } from "../store/execution-lists.ts";
import { actBy } from "./act-by.ts";
import { bodyText } from "./body.ts";
import type { HttpContext, HttpDeps, HttpEnv } from "./context.ts";
import { readCursor, textOfCursor } from "./cursor.ts";
import { hostsFiltered } from "./named-hosts.ts";
import { operation, UUID } from "./params.ts";
import { momentOf, parsedOf, wholeNumberOf } from "./query.ts";
import { tellEnqueued } from "./tell-enqueued.ts";
import { urlsOf } from "./urls.ts";
import { listedView } from "./views.ts";

const MAX_LIMIT = 1_000;
const DEFAULT_LIMIT = 100;

const Statuses = v.pipe(
  v.string(),
  v.transform((text) => text.split(",")),
  v.array(v.picklist(STATUSES, `must be some of ${STATUSES.join(", ")}, with commas between them`)),
);

/** The routes about executions of all tasks. */
export function manyRoutes(deps: HttpDeps) {
  const { db } = deps;
  const manyView = (c: HttpContext, many: Awaited<ReturnType<typeof stopMany>>) => {
    const urls = urlsOf(deps, c);
    const { next, ...rest } = many;
    return {
      ...rest,
      nextCursor: textOfCursor(next),
      executions: many.executions.map(({ id, jobId, taskId }) => ({
        id,
        jobId,
        taskId,
        url: urls.execution(taskId, jobId, id),
      })),
    };
  };
  const asked = async (c: HttpContext) => {
    const { dryRun = false, host, cursor, ...body } = parseFilterBody(await bodyText(c));
    const hosts = host === undefined ? undefined : hostsFiltered(deps.plan.pools, host);
    return { dryRun, cursor: readCursor(cursor, UUID), filter: { ...body, hosts } };
  };

  return new Hono<HttpEnv>()
    .get("/executions", operation("listExecutions"), async (c) => {
      const limit = wholeNumberOf(c, "limit", { min: 1, max: MAX_LIMIT, absent: DEFAULT_LIMIT });
      const cursor = readCursor(c.req.query("cursor"), UUID);
      const { rows, next } = await listExecutions(db, filterOf(deps, c), { cursor, limit });
      const urls = urlsOf(deps, c);
      return c.json({
        items: rows.map((row) => listedView(row, urls)),
        nextCursor: textOfCursor(next),
      });
    })
    .post("/executions/stop", operation("stopExecutions"), async (c) => {
      return c.json(manyView(c, await stopMany(db, await asked(c), actBy(deps, c))));
    })
    .post("/executions/retry", operation("retryExecutions"), async (c) => {
      const { pools, ...many } = await retryMany(db, deps.plan, await asked(c), actBy(deps, c));
      deps.onEnqueued(pools);
      for (const { id, jobId, taskId } of many.dryRun ? [] : many.executions) {
        tellEnqueued(deps, c, taskId, [{ executionId: id, jobId }]);
      }
      return c.json(manyView(c, many));
    });
}

function filterOf(deps: HttpDeps, c: HttpContext): ExecutionFilter {
  const host = parsedOf(c.req.query("host"), "host", shortText(1_000));
  return {
    task: parsedOf(c.req.query("task"), "task", shortText(400)),
    taskMatch: c.get("actor").taskMatch ?? undefined,
    statuses: parsedOf(c.req.query("status"), "status", Statuses),
    hosts: host === undefined ? undefined : hostsFiltered(deps.plan.pools, host),
    since: momentOf(c, "since"),
    until: momentOf(c, "until"),
  };
}
