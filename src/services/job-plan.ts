import type { ActBy } from "../core/audit.ts";
import { cronTimes } from "../core/cron.ts";
import { AppError } from "../core/errors.ts";
import { registryOf } from "../core/image-reference.ts";
import { type Asked, breachesOf, type Policy } from "../core/policy.ts";
import { type PoolRule, poolOf } from "../core/pool.ts";
import { containerRequestOf, jobRulesOf, type PayloadDefaults } from "../payload/job-details.ts";
import type { JobPayload } from "../payload/job-payload.ts";
import { sentence } from "../payload/parse.ts";
import { type When, whenOf } from "../payload/schedule.ts";
import { type Secrets, type StoredRules, sealRequest, sealRules } from "../payload/sealed.ts";
import type { NewExecution } from "../store/executions.ts";
import type { NewJob } from "../store/jobs.ts";
import { type TraceOrigin, tracedAs, traceparentOfJob } from "./trace-origin.ts";

/** What of the configuration decides about a payload. */
export interface PlanDeps {
  pools: readonly PoolRule[];
  /** The registry that each login of the configuration is for, by the login's name. */
  registries: Readonly<Record<string, string>>;
  defaults: PayloadDefaults;
  secrets: Secrets;
}

export interface JobInput {
  taskId: string;
  payload: JobPayload;
  requestIp: string | null;
  by: ActBy;
  /** `null` or absent where nothing is told of it. */
  trace?: TraceOrigin | null;
}

/** A job as it is to be made, before anything is. */
export interface JobPlan {
  job: NewJob;
  pool: string;
  when: When;
  /** When it runs first by its schedule; `null` when it begins at once. */
  firstTick: Date | null;
  by: ActBy;
  trace: TraceOrigin | null;
}

/**
 * Works out what a payload asks for.
 *
 * @throws {AppError} `no_pool` when no pool fits the task; `payload_invalid` when the login is none
 *   for the image; `payload_not_allowed` when the policy of the pool does not allow the payload.
 */
export function planJob(deps: PlanDeps, input: JobInput, jobId: string): JobPlan {
  const { taskId, payload, requestIp, by, trace = null } = input;
  const pool = poolOf(deps.pools, taskId);
  if (pool === null) {
    throw new AppError(
      "no_pool",
      `Cannot enqueue: no pool of dockerHosts matches task "${taskId}"`,
    );
  }
  requireLogin(deps, payload);
  const request = containerRequestOf(payload);
  requireAllowed(pool, request, "Cannot enqueue");
  const now = new Date();
  const when = whenOf(payload, now);
  const sealer = deps.secrets.sealer();
  return {
    job: {
      id: jobId,
      taskId,
      request: sealRequest(request, jobId, sealer),
      rules: sealRules(jobRulesOf(payload, deps.defaults), jobId, sealer),
      priority: payload.priority,
      custom: payload.metadata,
      queueMessageId: null,
      requestIp,
      traceparent: traceparentOfJob(jobId, trace),
    },
    pool: pool.match,
    when,
    firstTick: firstTickOf(when, now),
    by,
    trace,
  };
}

function firstTickOf(when: When, now: Date): Date | null {
  switch (when.kind) {
    case "now":
      return null;
    case "in":
      return new Date(now.getTime() + when.delayMs);
    case "at":
      return when.at;
    case "cron":
      return cronTimes(when.cron, when.timezone).next(now);
  }
}

/** The parts of a job that its executions are made from. */
type JobDetails = Pick<
  NewJob,
  "id" | "taskId" | "request" | "rules" | "priority" | "requestIp" | "traceparent"
>;

/**
 * An execution of a job, with its own copy of what holds for it now.
 *
 * @param trace Where a request makes it with the job: the trace that goes on in it.
 */
export function executionOf(
  job: JobDetails,
  pool: string,
  trace: TraceOrigin | null = null,
): NewExecution {
  const id = crypto.randomUUID();
  const { timeoutSeconds, expiresAt, concurrency, onHostLost }: StoredRules = job.rules;
  return {
    id,
    jobId: job.id,
    taskId: job.taskId,
    pool,
    request: job.request,
    priority: job.priority,
    requestIp: job.requestIp,
    timeoutSeconds,
    expiresAt,
    concurrencyKey: concurrency?.key ?? null,
    concurrencyLimit: concurrency?.limit ?? null,
    onHostLost,
    ...tracedAs(id, job.traceparent, trace),
  };
}

/** @throws {AppError} `payload_invalid`. */
function requireLogin({ registries }: PlanDeps, { image, registryAuth }: JobPayload): void {
  if (registryAuth === undefined) return;
  const registry = registryOf(image);
  const isLogin = Object.hasOwn(registries, registryAuth);
  if (isLogin && registries[registryAuth] === registry) return;
  const message = isLogin
    ? `must be a login for the image's registry, ${registry}: it is for another`
    : "must be the name of a login in registries of the configuration";
  const issues = [{ path: "registryAuth", message }];
  throw new AppError("payload_invalid", sentence("Cannot enqueue", issues), { issues });
}

/**
 * @param cannot What cannot be done with what is not allowed.
 * @throws {AppError} `payload_not_allowed`.
 */
export function requireAllowed(policy: Policy, request: Asked, cannot: string): void {
  const issues = breachesOf(policy, request);
  if (issues.length > 0) {
    throw new AppError("payload_not_allowed", sentence(cannot, issues), { issues });
  }
}
