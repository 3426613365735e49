import { sql } from "drizzle-orm";
import { Hono } from "hono";
import { messageOf } from "../core/errors.ts";
import { hostAndPort } from "../core/host-name.ts";
import { hostsOf } from "../core/pool.ts";
import { queueLength } from "../queue/unlock.ts";
import { farmCounts } from "../store/executions.ts";
import { listHosts } from "../store/hosts.ts";
import type { HostRow } from "../store/schema.ts";
import type { HttpContext, HttpDeps, HttpEnv } from "./context.ts";
import { operation } from "./params.ts";
import { urlsOf } from "./urls.ts";

/** What tells how the service itself is. */
export function serviceRoutes(deps: HttpDeps) {
  const health = async (c: HttpContext) => {
    const answer = await healthOf(deps);
    return c.json(answer, answer.errors.length === 0 ? 200 : 500);
  };
  return new Hono<HttpEnv>()
    .get("/", operation("healthcheck"), health)
    .get("/healthcheck", operation("healthcheck"), health)
    .get("/status", operation("status"), async (c) => {
      const [counts, hosts, queue] = await Promise.all([
        farmCounts(deps.db),
        listHosts(deps.db, hostsOf(deps.pools)),
        queueLength(deps.db),
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
        hosts: hosts.map(hostView),
        jobs: { count: counts.jobs, scheduled: [] },
        queues: {
          error: { length: queue.failed },
          jobs: { length: counts.waiting },
          monitor: { length: counts.running.length },
        },
        tasks: { count: counts.tasks },
      });
    });
}

interface HealthError {
  source: "postgres" | "queue";
  message: string;
}

async function healthOf({ db, queueIsAlive }: HttpDeps) {
  const errors: HealthError[] = [];
  try {
    await db.execute(sql`SELECT 1`);
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    errors.push({ source: "postgres", message: messageOf(cause) });
  }
  if (queueIsAlive !== null && !queueIsAlive()) {
    errors.push({ source: "queue", message: "The queue has not been read for some seconds" });
  }
  const isWell = (source: HealthError["source"]) =>
    !errors.some((error) => error.source === source);
  return { errors, postgres: isWell("postgres"), queue: isWell("queue") };
}

/** A host that cannot be reached takes nothing new: its circuit is open. */
function hostView(row: HostRow) {
  return {
    available: row.reachable,
    blacklisted: false,
    circuit: row.reachable ? "closed" : "open",
    error: row.lastError,
    ...hostAndPort(row.name),
  };
}
