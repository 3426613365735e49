import { Hono } from "hono";
import { AppError } from "../core/errors.ts";
import { parseJobPayload } from "../payload/parse.ts";
import { enqueueJob } from "../services/enqueue-job.ts";
import { listJobsOfTask, listTasks, taskExists } from "../store/tasks.ts";
import { bodyText } from "./body.ts";
import type { HttpDeps, HttpEnv } from "./context.ts";
import { pagedView, pageOf } from "./paging.ts";
import { operation, taskIdOf } from "./params.ts";
import { requestIp, urlsOf } from "./urls.ts";

const JOBS_PER_PAGE = 100;

export function taskRoutes(deps: HttpDeps) {
  return new Hono<HttpEnv>()
    .get("/tasks", operation("listTasks"), async (c) => {
      const page = pageOf(c, deps.paginationPerPage);
      const { items, total } = await listTasks(deps.db, page);
      const urls = urlsOf(deps, c);
      const views = items.map((task) => ({
        createdAt: task.createdAt.toISOString(),
        jobsCount: task.jobsCount,
        lastModifiedAt: task.lastModifiedAt.toISOString(),
        taskId: task.id,
        url: urls.task(task.id),
      }));
      return c.json(pagedView(views, page, total, urls.tasks));
    })
    .post("/tasks/:taskId", operation("enqueueJob"), async (c) => {
      const taskId = taskIdOf(c);
      const payload = parseJobPayload(await bodyText(c));
      const enqueued = await enqueueJob(deps, { taskId, payload, requestIp: requestIp(deps, c) });
      const urls = urlsOf(deps, c);
      const { jobId, executionId } = enqueued;
      return c.json({
        executionId,
        executionUrl: urls.execution(taskId, jobId, executionId),
        jobId,
        jobUrl: urls.job(taskId, jobId),
        queueJobId: String(enqueued.messageId),
        taskId,
        taskUrl: urls.task(taskId),
      });
    })
    .get("/tasks/:taskId", operation("getTask"), async (c) => {
      const taskId = taskIdOf(c);
      const page = pageOf(c, JOBS_PER_PAGE);
      if (!(await taskExists(deps.db, taskId))) {
        throw new AppError("task_not_found", `There is no task "${taskId}"`);
      }
      const { items, total } = await listJobsOfTask(deps.db, taskId, page);
      const urls = urlsOf(deps, c);
      const jobs = items.map(({ id, createdAt }) => ({
        id,
        createdAt: createdAt.toISOString(),
        url: urls.job(taskId, id),
      }));
      const { items: _, ...paging } = pagedView(
        jobs,
        page,
        total,
        (query) => `${urls.task(taskId)}/${query}`,
      );
      return c.json({ jobs, taskId, ...paging });
    });
}
