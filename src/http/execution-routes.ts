import { Hono } from "hono";
import { executionView } from "../services/execution-view.ts";
import { explainExecution } from "../services/explain.ts";
import { stopExecution } from "../services/stop-execution.ts";
import type { ExecutionRow } from "../store/schema.ts";
import { actBy } from "./act-by.ts";
import type { HttpContext, HttpDeps, HttpEnv } from "./context.ts";
import type { TextKind } from "./log-query.ts";
import { operation, requireExecution } from "./params.ts";
import { textAnswer } from "./texts.ts";
import { type Urls, urlsOf } from "./urls.ts";

const EXECUTION = "/tasks/:taskId/jobs/:jobId/executions/:executionId";

export function executionRoutes(deps: HttpDeps) {
  const { db } = deps;
  const textOf = async (c: HttpContext, kind: TextKind) =>
    await textAnswer(deps, c, await requireExecution(deps, c), kind);

  return new Hono<HttpEnv>()
    .get(EXECUTION, operation("getExecution"), async (c) => {
      const row = await requireExecution(deps, c);
      return c.json({
        execution: await executionView(db, row),
        ...parentsOf(row, urlsOf(deps, c)),
      });
    })
    .get(`${EXECUTION}/logs`, operation("getExecutionLogs"), (c) => textOf(c, "logs"))
    .get(`${EXECUTION}/stdout`, operation("getExecutionStdout"), (c) => textOf(c, "stdout"))
    .get(`${EXECUTION}/stderr`, operation("getExecutionStderr"), (c) => textOf(c, "stderr"))
    .post(`${EXECUTION}/stop`, operation("stopExecution"), async (c) => {
      const row = await requireExecution(deps, c);
      await stopExecution(db, row.id, actBy(deps, c));
      const urls = urlsOf(deps, c);
      const execution = { id: row.id, url: urls.execution(row.taskId, row.jobId, row.id) };
      return c.json({ execution, ...parentsOf(row, urls) });
    })
    .get(`${EXECUTION}/why`, operation("whyExecution"), async (c) => {
      const row = await requireExecution(deps, c);
      return c.json(await explainExecution({ db, pools: deps.plan.pools }, row));
    });
}

function parentsOf({ taskId, jobId }: ExecutionRow, urls: Urls) {
  return {
    job: { id: jobId, url: urls.job(taskId, jobId) },
    task: { id: taskId, url: urls.task(taskId) },
  };
}
