import { Hono } from "hono";
import { countExecutions, lastExecutions } from "../store/executions.ts";
import type { HttpContext, HttpDeps, HttpEnv } from "./context.ts";
import { operation, requireExecution, requireJob, requireLastExecution } from "./params.ts";
import { type TextKind, textAnswer } from "./texts.ts";
import { urlsOf } from "./urls.ts";
import { executionView, jobView } from "./views.ts";

const EXECUTIONS_SHOWN = 20;
const JOB = "/tasks/:taskId/jobs/:jobId";
const EXECUTION = `${JOB}/executions/:executionId`;

export function jobRoutes(deps: HttpDeps) {
  const { db } = deps;
  const textOfJob = (kind: TextKind) => async (c: HttpContext) =>
    textAnswer(db, await requireLastExecution(deps, c), kind);
  const textOfExecution = (kind: TextKind) => async (c: HttpContext) =>
    textAnswer(db, await requireExecution(deps, c), kind);

  return new Hono<HttpEnv>()
    .get(JOB, operation("getJob"), async (c) => {
      const job = await requireJob(deps, c);
      const [count, rows] = await Promise.all([
        countExecutions(db, job.id),
        lastExecutions(db, job.id, EXECUTIONS_SHOWN),
      ]);
      const executions = await Promise.all(rows.map((row) => executionView(db, row)));
      return c.json({
        job: jobView(job, count, executions, deps.envBlacklistedWords),
        task: { id: job.taskId, url: urlsOf(deps, c).task(job.taskId) },
      });
    })
    .get(EXECUTION, operation("getExecution"), async (c) => {
      const row = await requireExecution(deps, c);
      const urls = urlsOf(deps, c);
      return c.json({
        execution: await executionView(db, row),
        job: { id: row.jobId, url: urls.job(row.taskId, row.jobId) },
        task: { id: row.taskId, url: urls.task(row.taskId) },
      });
    })
    .get(`${JOB}/logs`, operation("getJobLogs"), textOfJob("logs"))
    .get(`${JOB}/stdout`, operation("getJobStdout"), textOfJob("stdout"))
    .get(`${JOB}/stderr`, operation("getJobStderr"), textOfJob("stderr"))
    .get(`${EXECUTION}/logs`, operation("getExecutionLogs"), textOfExecution("logs"))
    .get(`${EXECUTION}/stdout`, operation("getExecutionStdout"), textOfExecution("stdout"))
    .get(`${EXECUTION}/stderr`, operation("getExecutionStderr"), textOfExecution("stderr"));
}
