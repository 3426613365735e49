import { createMiddleware } from "hono/factory";
import { AppError } from "../core/errors.ts";
import { parseTaskId } from "../payload/parse.ts";
import { findExecution, lastExecutions } from "../store/executions.ts";
import { findJob } from "../store/jobs.ts";
import type { ExecutionRow, JobRow } from "../store/schema.ts";
import { type OperationName, requireAccess } from "./access.ts";
import type { AsksOf } from "./asks.ts";
import type { HttpContext, HttpDeps, HttpEnv } from "./context.ts";

export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * Names what a route does, for its errors, and lets on only who may do it.
 *
 * @throws {AppError} `not_allowed`
 */
export function operation<Name extends OperationName>(name: Name) {
  return createMiddleware<HttpEnv, string, { in: AsksOf<Name>; out: object }>(async (c, next) => {
    c.set("operation", name);
    const hasTask = c.req.param("taskId") !== undefined && c.get("actor").taskMatch !== null;
    await requireAccess(c, name, hasTask ? taskIdOf(c) : null);
    await next();
  });
}

/** From the path as it was sent: hono leaves wrong percent-encoding as it is, and says nothing. */
export function taskIdOf(c: HttpContext): string {
  const [, , encoded = ""] = c.req.path.split("/");
  try {
    return parseTaskId(decodeURIComponent(encoded));
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError("task_id_invalid", "A task id in a URL must be percent-encoded UTF-8");
  }
}

/** The id under which a client makes a job. @throws {AppError} `job_id_invalid` unless it is a UUID. */
export function newJobIdOf(c: HttpContext): string {
  const jobId = c.req.param("jobId") ?? "";
  if (UUID.test(jobId)) return jobId.toLowerCase();
  throw new AppError("job_id_invalid", `"${shown(jobId)}" is no UUID: the id of a job must be one`);
}

/** @throws {AppError} `job_not_found`, for an id that is no UUID as well. */
export async function requireJob({ db }: Pick<HttpDeps, "db">, c: HttpContext): Promise<JobRow> {
  const taskId = taskIdOf(c);
  const jobId = c.req.param("jobId") ?? "";
  const job = UUID.test(jobId) ? await findJob(db, taskId, jobId) : null;
  if (job === null) {
    throw new AppError("job_not_found", `Task "${taskId}" has no job "${shown(jobId)}"`);
  }
  return job;
}

export async function requireExecution(
  deps: Pick<HttpDeps, "db">,
  c: HttpContext,
): Promise<ExecutionRow> {
  const taskId = taskIdOf(c);
  const jobId = c.req.param("jobId") ?? "";
  const executionId = c.req.param("executionId") ?? "";
  const areIds = UUID.test(jobId) && UUID.test(executionId);
  const row = areIds ? await findExecution(deps.db, taskId, jobId, executionId) : null;
  if (row === null) {
    throw new AppError(
      "execution_not_found",
      `Job "${shown(jobId)}" of task "${taskId}" has no execution "${shown(executionId)}"`,
    );
  }
  return row;
}

/** The execution that a job's own routes are about. */
export async function requireLastExecution(
  deps: Pick<HttpDeps, "db">,
  c: HttpContext,
): Promise<ExecutionRow> {
  const job = await requireJob(deps, c);
  const [last] = await lastExecutions(deps.db, job.id, 1);
  if (last === undefined) {
    throw new AppError("execution_not_found", `Job "${job.id}" has no execution yet`);
  }
  return last;
}

const shown = (id: string) => id.slice(0, 50);
