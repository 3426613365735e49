import { sql } from "drizzle-orm";
import { Hono } from "hono";
import { messageOf } from "../core/errors.ts";
import { hostAndPort } from "../core/host-name.ts";
import { queueLength } from "../queue/unlock.ts";
import { farmCounts } from "../store/executions.ts";
import { waitingDeliveries } from "../store/ledger.ts";
import { countUpcoming, upcomingSchedules } from "../store/schedules.ts";
import type { HttpContext, HttpDeps, HttpEnv } from "./context.ts";
import { hostViews, poolViews } from "./host-views.ts";
import { operation } from "./params.ts";
import { storeView } from "./prune-views.ts";
import { urlsOf } from "./urls.ts";

const SCHEDULES_SHOWN = 1_000;

/** What tells how the service itself is. */
export function serviceRoutes(deps: HttpDeps) {
  const health = async (c: HttpContext) => {
    const answer = await healthOf(deps);
    if (answer.errors.length === 0) return c.json(answer, 200);
    return c.json(answer, deps.leaving.aborted ? 503 : 500);
  };
  return new Hono<HttpEnv>()
    .get("/", operation("root"), async (c) => {
      // A person who looks with a browser is shown what there is.
      const asksForPage = c.req.header("accept")?.includes("text/html") ?? false;
      return asksForPage ? c.redirect(urlsOf(deps, c).path("/docs")) : await health(c);
    })
    .get("/healthcheck", operation("healthcheck"), health)
    .get("/status", operation("status"), async (c) => {
      const { db, plan } = deps;
      const { taskMatch } = c.get("actor");
      const [counts, hosts, queue, upcoming, scheduled, deliveries, store] = await Promise.all([
        farmCounts(db, taskMatch),
        hostViews(db, plan.pools),
        queueLength(db),
        upcomingSchedules(db, SCHEDULES_SHOWN, taskMatch),
        countUpcoming(db),
        waitingDeliveries(db),
        storeView(db),
      ]);
      const urls = urlsOf(deps, c);
      return c.json({
        containers: {
          running: counts.running.map((running) => ({
            ...hostAndPort(running.host ?? ""),
            containerId: running.containerId,
            executionId: running.executionId,
            jobId: running.jobId,
            taskId: running.taskId,
            url: urls.execution(running.taskId, running.jobId, running.executionId),
          })),
        },
        fastlane: { version: deps.version, executor: "docker" },
        hosts,
        pools: await poolViews(db, plan.pools),
        jobs: {
          count: counts.jobs,
          scheduled: upcoming.map(({ jobId, taskId, nextAt }) => ({
            id: jobId,
            nextScheduledAt: nextAt.toISOString(),
            stopUrl: `${urls.job(taskId, jobId)}/stop/`,
            task: { id: taskId, url: urls.task(taskId) },
            url: urls.job(taskId, jobId),
          })),
        },
        queues: {
          error: { length: queue.failed },
          jobs: { length: counts.waiting },
          monitor: { length: counts.running.length },
          notify: { length: deliveries.mail },
          scheduled: scheduledQueue(scheduled, upcoming[0]?.nextAt ?? null),
          webhooks: { length: deliveries.webhook },
        },
        store,
        tasks: { count: counts.tasks },
      });
    });
}

function scheduledQueue(length: number, next: Date | null) {
  return {
    length,
    nextHumanReadableDate: next?.toUTCString() ?? null,
    nextTimeStamp: next === null ? null : next.getTime() / 1_000,
  };
}

interface HealthError {
  source: "postgres" | "queue" | "node";
  message: string;
}

async function healthOf({ db, queueIsAlive, leaving }: HttpDeps) {
  const errors: HealthError[] = [];
  try {
    await db.execute(sql`SELECT 1`);
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    errors.push({ source: "postgres", message: messageOf(cause) });
  }
  if (leaving.aborted) {
    errors.push({ source: "node", message: "The node stops, and still answers for a moment" });
  } else if (queueIsAlive !== null && !queueIsAlive()) {
    errors.push({ source: "queue", message: "The queue has not been read for some seconds" });
  }
  const isWell = (source: HealthError["source"]) =>
    !errors.some((error) => error.source === source);
  return { errors, postgres: isWell("postgres"), queue: isWell("queue") };
}
