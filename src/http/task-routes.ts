import { Hono } from "hono";
import { AppError } from "../core/errors.ts";
import { wordsOf } from "../core/words.ts";
import { listJobsOfTask, listTasks, type TaskSummary, taskExists } from "../store/tasks.ts";
import type { HttpDeps, HttpEnv } from "./context.ts";
import { pagedView, pageOf } from "./paging.ts";
import { operation, taskIdOf } from "./params.ts";
import { type Urls, urlsOf } from "./urls.ts";

const JOBS_PER_PAGE = 100;
const MAX_QUERY = 500;

export function taskRoutes(deps: HttpDeps) {
  const { db } = deps;
  return new Hono<HttpEnv>()
    .get("/tasks", operation("listTasks"), async (c) => {
      const page = pageOf(c, deps.paginationPerPage);
      const { items, total } = await listTasks(db, page, { match: c.get("actor").taskMatch });
      const urls = urlsOf(deps, c);
      const views = items.map((task) => summaryView(task, urls));
      return c.json(pagedView(views, page, total, (query) => urls.path(`/tasks/?${query}`)));
    })
    .get("/search", operation("searchTasks"), async (c) => {
      const page = pageOf(c, deps.paginationPerPage);
      const query = c.req.query("query") ?? "";
      const words = wordsOf(query);
      if (words.length === 0 || query.length > MAX_QUERY) {
        throw new AppError(
          "query_invalid",
          `"query" must have at least one word, and at most ${MAX_QUERY} characters`,
        );
      }
      const { items, total } = await listTasks(db, page, {
        words,
        match: c.get("actor").taskMatch,
      });
      const urls = urlsOf(deps, c);
      const views = items.map((task) => summaryView(task, urls));
      const asked = `query=${encodeURIComponent(query)}`;
      return c.json(
        pagedView(views, page, total, (paging) => urls.path(`/search/?${asked}&${paging}`)),
      );
    })
    .get("/tasks/:taskId", operation("getTask"), async (c) => {
      const taskId = taskIdOf(c);
      const page = pageOf(c, JOBS_PER_PAGE);
      if (!(await taskExists(db, taskId))) {
        throw new AppError("task_not_found", `There is no task "${taskId}"`);
      }
      const { items, total } = await listJobsOfTask(db, taskId, page);
      const urls = urlsOf(deps, c);
      const views = items.map(({ id, createdAt }) => ({
        id,
        createdAt: createdAt.toISOString(),
        url: urls.job(taskId, id),
      }));
      const linkTo = (query: string) => `${urls.task(taskId)}/?${query}`;
      const { items: jobs, ...paging } = pagedView(views, page, total, linkTo);
      return c.json({ jobs, taskId, ...paging });
    });
}

function summaryView(task: TaskSummary, urls: Urls) {
  return {
    createdAt: task.createdAt.toISOString(),
    jobsCount: task.jobsCount,
    lastModifiedAt: task.lastModifiedAt.toISOString(),
    taskId: task.id,
    url: urls.task(task.id),
  };
}
