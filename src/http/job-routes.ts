import { Hono } from "hono";
import { localTime } from "../core/cron.ts";
import { nextTimes } from "../core/schedule.ts";
import { executionView } from "../services/execution-view.ts";
import { explainExecution, explainSchedule } from "../services/explain.ts";
import { retryJob } from "../services/retry-job.ts";
import { stopJob } from "../services/stop-execution.ts";
import { countExecutions, lastExecutions } from "../store/executions.ts";
import { findSchedule, listTicks } from "../store/schedules.ts";
import type { JobRow, ScheduleRow } from "../store/schema.ts";
import { actBy } from "./act-by.ts";
import type { HttpContext, HttpDeps, HttpEnv } from "./context.ts";
import { enqueuedView } from "./enqueue-routes.ts";
import type { TextKind } from "./log-query.ts";
import { pagedView, pageOf } from "./paging.ts";
import { operation, requireJob, requireLastExecution } from "./params.ts";
import { wholeNumberOf } from "./query.ts";
import { tellEnqueued } from "./tell-enqueued.ts";
import { textAnswer } from "./texts.ts";
import { traceEnqueued, traceOriginOf } from "./tracing.ts";
import { urlsOf } from "./urls.ts";
import { jobView, tickView } from "./views.ts";

const EXECUTIONS_SHOWN = 20;
const TICKS_SHOWN = { page: 1, perPage: 20 };
const MOST_TIMES = 100;
const JOB = "/tasks/:taskId/jobs/:jobId";

export function jobRoutes(deps: HttpDeps) {
  const { db } = deps;
  const textOf = async (c: HttpContext, kind: TextKind) =>
    await textAnswer(deps, c, await requireLastExecution(deps, c), kind);

  return new Hono<HttpEnv>()
    .get(JOB, operation("getJob"), async (c) => {
      const job = await requireJob(deps, c);
      const urls = urlsOf(deps, c);
      const parts = await partsOf(deps, job);
      const shown = { keyring: deps.plan.secrets.keyring, secretWords: deps.envBlacklistedWords };
      return c.json({
        job: jobView(job, parts, urls, shown),
        task: { id: job.taskId, url: urls.task(job.taskId) },
      });
    })
    .get(`${JOB}/logs`, operation("getJobLogs"), (c) => textOf(c, "logs"))
    .get(`${JOB}/stdout`, operation("getJobStdout"), (c) => textOf(c, "stdout"))
    .get(`${JOB}/stderr`, operation("getJobStderr"), (c) => textOf(c, "stderr"))
    .post(`${JOB}/stop`, operation("stopJob"), async (c) => {
      const { id, taskId } = await requireJob(deps, c);
      await stopJob(db, { id, taskId }, actBy(deps, c));
      const urls = urlsOf(deps, c);
      return c.json({
        jobId: id,
        jobUrl: urls.job(taskId, id),
        taskId,
        taskUrl: urls.task(taskId),
      });
    })
    .post(`${JOB}/retry`, operation("retryJob"), async (c) => {
      const job = await requireJob(deps, c);
      const trace = traceOriginOf(deps.traces, c);
      const made = await retryJob(db, deps.plan, job, actBy(deps, c), trace);
      traceEnqueued(deps.traces, c, { job, trace }, made);
      deps.onEnqueued([made.pool]);
      tellEnqueued(deps, c, job.taskId, [made]);
      return c.json(enqueuedView(made, job.taskId, urlsOf(deps, c)));
    })
    .get(`${JOB}/why`, operation("whyJob"), async (c) => {
      const job = await requireJob(deps, c);
      const [last] = await lastExecutions(db, job.id, 1);
      if (last === undefined) return c.json(explainSchedule(await findSchedule(db, job.id)));
      return c.json(await explainExecution({ db, pools: deps.plan.pools }, last));
    })
    .get(`${JOB}/ticks`, operation("listTicks"), async (c) => {
      const job = await requireJob(deps, c);
      const page = pageOf(c, deps.paginationPerPage);
      const { items, total } = await listTicks(db, job.id, page);
      const urls = urlsOf(deps, c);
      const views = items.map((tick) => tickView(tick, job.taskId, urls));
      const linkTo = (query: string) => `${urls.job(job.taskId, job.id)}/ticks/?${query}`;
      return c.json(pagedView(views, page, total, linkTo));
    })
    .get(`${JOB}/schedule`, operation("getSchedule"), async (c) => {
      const job = await requireJob(deps, c);
      const count = wholeNumberOf(c, "count", { min: 1, max: MOST_TIMES, absent: 10 });
      return c.json(scheduleView(await findSchedule(db, job.id), count));
    });
}

async function partsOf({ db }: HttpDeps, { id }: JobRow) {
  const [executionCount, rows, schedule, { items: ticks }] = await Promise.all([
    countExecutions(db, id),
    lastExecutions(db, id, EXECUTIONS_SHOWN),
    findSchedule(db, id),
    listTicks(db, id, TICKS_SHOWN),
  ]);
  const executions = await Promise.all(rows.map((row) => executionView(db, row)));
  return { executionCount, executions, schedule, ticks, retryCount: rows[0]?.retry ?? 0 };
}

function scheduleView(schedule: ScheduleRow | null, count: number) {
  if (schedule === null) return { schedule: null, next: [] };
  const { cron, timezone, overlap, catchUp, canceledAt, nextAt } = schedule;
  const later =
    nextAt === null || cron === null ? [] : nextTimes(cron, timezone, nextAt, count - 1);
  return {
    schedule: {
      cron,
      timezone,
      overlap,
      catchUp,
      canceledAt: canceledAt?.toISOString() ?? null,
    },
    next: (nextAt === null ? [] : [nextAt, ...later]).map((at) => ({
      at: at.toISOString(),
      local: localTime(at, timezone),
    })),
  };
}
