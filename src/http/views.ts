import { type Keyring, SealedShut } from "../core/keyring.ts";
import { redactEnvs } from "../core/redact.ts";
import type { Execution, ListedExecution } from "../payload/execution-answers.ts";
import type { JobAnswer } from "../payload/job-answers.ts";
import { listsOf } from "../payload/notify.ts";
import { openEnvs, openWebhook, type StoredWebhook } from "../payload/sealed.ts";
import { whereOf } from "../services/execution-view.ts";
import type { Db } from "../store/connect.ts";
import type { ListedRow } from "../store/execution-lists.ts";
import { keptLogsOf } from "../store/log-sizes.ts";
import type { ExecutionRow, JobRow, ScheduleRow, TickRow } from "../store/schema.ts";
import { listedLogOf } from "./log-views.ts";
import type { Urls } from "./urls.ts";

const states = new WeakMap<ExecutionRow, ReturnType<typeof newStateView>>();

/**
 * Of an execution what changes while it runs; the size of its log comes with its end. Made once for
 * all who look at the same row together.
 */
export function stateView(db: Db, row: ExecutionRow): ReturnType<typeof newStateView> {
  const view = states.get(row) ?? newStateView(db, row);
  states.set(row, view);
  return view;
}

async function newStateView(db: Db, row: ExecutionRow) {
  return {
    executionId: row.id,
    status: row.status,
    exitCode: row.exitCode,
    failureCause: row.failureCause,
    message: row.message,
    createdAt: row.createdAt.toISOString(),
    startedAt: timeOf(row.startedAt),
    finishedAt: timeOf(row.finishedAt),
    ...listedLogOf({ ...row, keptLogs: await keptLogsOf(db, row.logDay) }),
  };
}

/** An execution in a list: without its log. */
export function listedView(row: ListedRow, urls: Urls): ListedExecution {
  return {
    ...whereOf(row),
    createdAt: row.createdAt.toISOString(),
    executionId: row.id,
    exitCode: row.exitCode,
    failureCause: row.failureCause,
    finishedAt: timeOf(row.finishedAt),
    jobId: row.jobId,
    ...listedLogOf(row),
    startedAt: timeOf(row.startedAt),
    status: row.status,
    taskId: row.taskId,
    url: urls.execution(row.taskId, row.jobId, row.id),
  };
}

/** What belongs to a job besides its row. */
export interface JobParts {
  executionCount: number;
  executions: Execution[];
  /** Of the last execution. */
  retryCount: number;
  schedule: ScheduleRow | null;
  ticks: TickRow[];
}

/** By what secrets are read, and which of them are not shown. */
export interface Shown {
  keyring: Keyring;
  secretWords: readonly string[];
}

/** A job's own part of its details. */
export function jobView(row: JobRow, parts: JobParts, urls: Urls, shown: Shown): JobAnswer["job"] {
  const { schedule } = parts;
  return {
    command: row.request.commandText,
    createdAt: row.createdAt.toISOString(),
    executionCount: parts.executionCount,
    executions: parts.executions,
    image: row.request.imageText,
    lastModifiedAt: row.lastModifiedAt.toISOString(),
    metadata: {
      ...rulesView(row, shown),
      ...requestView(row),
      custom: row.custom,
      enqueued_id: row.queueMessageId === null ? null : String(row.queueMessageId),
      envs: envsView(row, shown),
      retry_count: parts.retryCount,
      ...(schedule?.cron == null
        ? {}
        : {
            cron: schedule.cron,
            timezone: schedule.timezone,
            overlap: schedule.overlap,
            catchUp: schedule.catchUp,
          }),
    },
    nextScheduledAt: timeOf(schedule?.nextAt ?? null),
    requestIPAddress: row.requestIp,
    scheduled: schedule?.nextAt != null,
    taskId: row.taskId,
    ticks: parts.ticks.map((tick) => tickView(tick, row.taskId, urls)),
  };
}

export function tickView(tick: TickRow, taskId: string, urls: Urls) {
  const { executionId } = tick;
  return {
    at: tick.at.toISOString(),
    outcome: tick.outcome,
    reason: tick.reason,
    executionId,
    executionUrl: executionId === null ? null : urls.execution(taskId, tick.jobId, executionId),
    blockedBy: tick.blockedBy,
    decidedAt: tick.decidedAt.toISOString(),
  };
}

/** What cannot be read by the keys that are here is not told of either. */
function envsView({ id, request }: JobRow, { keyring, secretWords }: Shown) {
  try {
    return redactEnvs(openEnvs(keyring, id, request), secretWords);
  } catch (error) {
    if (error instanceof SealedShut) return { "***": "***" };
    throw error;
  }
}

function rulesView({ id, rules }: JobRow, shown: Shown) {
  const { notify, webhooks } = rules;
  const hidden = (list: StoredWebhook[] | undefined) =>
    list?.map((hook) => webhookView(id, hook, shown));
  return {
    backoff: rules.backoff,
    expiration: rules.expiresAt,
    notify: listsOf(notify),
    onHostLost: rules.onHostLost,
    retries: rules.retries,
    retryOn: rules.retryOn,
    timeout: rules.timeoutSeconds,
    webhooks: listsOf({
      starts: hidden(webhooks.starts),
      succeeds: hidden(webhooks.succeeds),
      fails: hidden(webhooks.fails),
      finishes: hidden(webhooks.finishes),
    }),
    ...(rules.concurrency === null
      ? {}
      : { concurrencyKey: rules.concurrency.key, concurrencyLimit: rules.concurrency.limit }),
  };
}

/** Headers say who asks, so those that look secret are hidden as variables are. */
function webhookView(jobId: string, hook: StoredWebhook, { keyring, secretWords }: Shown) {
  const words = [...secretWords, "authorization", "cookie"];
  const { secret, headers } = webhookSecrets(jobId, hook, keyring);
  return {
    url: hook.url,
    ...(hook.method === undefined ? {} : { method: hook.method }),
    ...(hook.retries === undefined ? {} : { retries: hook.retries }),
    ...(headers === undefined ? {} : { headers: redactEnvs(headers, words) }),
    ...(secret === undefined ? {} : { secret: "***" as const }),
  };
}

function webhookSecrets(jobId: string, hook: StoredWebhook, keyring: Keyring) {
  try {
    return openWebhook(keyring, jobId, hook);
  } catch (error) {
    if (error instanceof SealedShut) return { secret: "***" };
    throw error;
  }
}

function requestView({ request, priority }: JobRow) {
  const { pullPolicy, registryAuth, cpus, memoryBytes, pids, network, user, workdir, extraHosts } =
    request;
  const resources = { cpus, memoryBytes, pids };
  return {
    priority,
    pullPolicy,
    ...(registryAuth === undefined ? {} : { registryAuth }),
    ...(Object.values(resources).every((value) => value === undefined) ? {} : { resources }),
    ...(network === undefined ? {} : { network }),
    ...(user === undefined ? {} : { user }),
    ...(workdir === undefined ? {} : { workdir }),
    ...(extraHosts === undefined ? {} : { additionalDNSEntries: extraHosts }),
  };
}

const timeOf = (at: Date | null) => at?.toISOString() ?? null;
