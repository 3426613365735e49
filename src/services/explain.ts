import type { PoolRule } from "../core/pool.ts";
import type { FailureCause } from "../core/status.ts";
import { managerOf } from "../core/swarm-name.ts";
import type { Db } from "../store/connect.ts";
import { isOpen, successorOf } from "../store/executions.ts";
import { type HostRecord, hostRecords } from "../store/host-records.ts";
import { receiptsOfExecution } from "../store/reconciliations.ts";
import type { ExecutionRow, ScheduleRow } from "../store/schema.ts";
import {
  countAhead,
  type Holders,
  holdersOfKey,
  holdersOfPool,
  openBefore,
} from "../store/waiting.ts";

/** Why something is as it is: a code for programs, a sentence for people, and what it is about. */
interface Reason {
  code: string;
  message: string;
  [detail: string]: unknown;
}

export interface Explanation {
  /** In one sentence. */
  summary: string;
  reasons: Reason[];
}

interface ExplainDeps {
  db: Db;
  pools: readonly PoolRule[];
}

/** Why an execution has not started, what it does now, or how it ended. */
export async function explainExecution(
  deps: ExplainDeps,
  execution: ExecutionRow,
): Promise<Explanation> {
  if (!isOpen(execution.status)) {
    const [end, decided] = await Promise.all([
      reasonsOfEnd(deps, execution),
      reasonsOfReceipts(deps, execution),
    ]);
    return summed("It ended", [...end, ...decided]);
  }
  if (execution.status === "enqueued") return await explainWaiting(deps, execution);
  const [begun, decided] = await Promise.all([
    reasonsOfBegun(deps, execution),
    reasonsOfReceipts(deps, execution),
  ]);
  return summed("It has begun", [...begun, ...decided]);
}

/** Why a job has no execution yet. */
export function explainSchedule(schedule: ScheduleRow | null): Explanation {
  if (schedule?.nextAt != null) {
    const at = schedule.nextAt.toISOString();
    const message = `it is scheduled, and runs next at ${at}`;
    return summed("It waits", [{ code: "scheduled", message, nextAt: at, cron: schedule.cron }]);
  }
  if (schedule?.canceledAt != null) {
    const at = schedule.canceledAt.toISOString();
    const message = `its schedule was canceled at ${at}`;
    return summed("It never ran", [{ code: "canceled", message, canceledAt: at }]);
  }
  return summed("It never ran", [{ code: "no_execution", message: "it has no execution" }]);
}

async function explainWaiting(deps: ExplainDeps, execution: ExecutionRow): Promise<Explanation> {
  const reasons = [
    ...reasonsOfTime(execution),
    ...(await reasonsOfJob(deps, execution)),
    ...(await reasonsOfKey(deps, execution)),
    ...(await reasonsOfPool(deps, execution)),
  ];
  if (reasons.length > 0) return summed("It waits", reasons);
  const { pool } = execution;
  const ahead = await countAhead(deps.db, execution);
  const message =
    ahead > 0
      ? `${ahead} of its pool "${pool}" that came earlier or have a higher priority are before it`
      : `it is the next one of its pool "${pool}", and starts in a moment`;
  const code = ahead > 0 ? "behind_others" : "next";
  return summed("It waits", [{ code, message, ahead, pool }]);
}

function reasonsOfTime({ availableAt, retry, retryOf, lastFault }: ExecutionRow): Reason[] {
  if (availableAt.getTime() <= Date.now()) return [];
  const at = availableAt.toISOString();
  if (lastFault !== null) {
    const message = `it could not begin (${lastFault}) and is tried again at ${at}`;
    return [{ code: "put_back", message, availableAt: at, fault: lastFault }];
  }
  const message = `it is retry ${retry} of an execution that failed, and begins at ${at}`;
  return [{ code: "retry_delay", message, availableAt: at, retry, retryOf }];
}

async function reasonsOfJob({ db }: ExplainDeps, execution: ExecutionRow): Promise<Reason[]> {
  if (!execution.afterPrevious) return [];
  const before = await openBefore(db, execution);
  if (before.length === 0) return [];
  const message = `${before.length === 1 ? "an earlier execution" : "earlier executions"} of its job must end first: ${before.join(", ")}`;
  return [{ code: "after_previous", message, executions: before }];
}

async function reasonsOfKey({ db }: ExplainDeps, execution: ExecutionRow): Promise<Reason[]> {
  const { concurrencyKey: key, concurrencyLimit: limit } = execution;
  if (key === null || limit === null) return [];
  const { count, ids } = await holdersOfKey(db, key);
  if (count < limit) return [];
  const message = `${count} with the concurrency key "${key}" run, and its limit is ${limit}`;
  return [{ code: "key_full", message, key, limit, running: count, executions: ids }];
}

async function reasonsOfPool(
  { db, pools }: ExplainDeps,
  { pool: name }: ExecutionRow,
): Promise<Reason[]> {
  const pool = pools.find(({ match }) => match === name);
  if (pool === undefined) {
    const message = `its pool "${name}" is not in the configuration any more`;
    return [{ code: "no_pool", message, pool: name }];
  }
  const [held, hosts] = await Promise.all([holdersOfPool(db, name), hostRecords(db, pool.hosts)]);
  return [...reasonOfSlots(pool, held), ...reasonOfHosts(pool, hosts)];
}

function reasonOfSlots({ match, maxRunning }: PoolRule, { count, ids }: Holders): Reason[] {
  if (count < maxRunning) return [];
  const message = `${count} run in its pool "${match}", and maxRunning is ${maxRunning}`;
  return [{ code: "pool_full", message, pool: match, maxRunning, running: count, executions: ids }];
}

function reasonOfHosts(
  { match, hosts: names }: PoolRule,
  hosts: ReadonlyMap<string, HostRecord>,
): Reason[] {
  const details = names.map((name) => {
    const record = hosts.get(name);
    return { host: name, error: record === undefined ? NO_OWNER : obstacleOf(record) };
  });
  if (details.some(({ error }) => error === null)) return [];
  const wrong = details.map(({ host, error }) => `${host}: ${error}`).join("; ");
  const message = `no host of its pool "${match}" is available (${wrong})`;
  return [{ code: "no_host", message, pool: match, hosts: details }];
}

const NO_OWNER = "no fastlane node attends to it";

/** Why nothing new is given to a host; `null` when something can be. */
function obstacleOf(record: HostRecord): string | null {
  const { blacklistedAt, circuit, failures, nextProbeAt, lastError } = record.host;
  if (blacklistedAt !== null) return `blacklisted since ${blacklistedAt.toISOString()}`;
  if (circuit !== "closed") {
    const next = nextProbeAt?.toISOString();
    return `its circuit is ${circuit} after ${failures} failures, to be probed at ${next}: ${lastError}`;
  }
  return isReached(record) ? null : (lastError ?? NO_OWNER);
}

const isReached = ({ host, lease }: HostRecord) => host.reachable && lease !== null;

/** What reconciliation has decided about it. */
async function reasonsOfReceipts({ db }: ExplainDeps, { id }: ExecutionRow): Promise<Reason[]> {
  return (await receiptsOfExecution(db, id)).map(({ decision, reason, host, decidedAt }) => {
    const at = decidedAt.toISOString();
    return { code: decision, message: `${decision} on ${host} at ${at}: ${reason}`, host, at };
  });
}

async function reasonsOfBegun(
  { db, pools }: ExplainDeps,
  execution: ExecutionRow,
): Promise<Reason[]> {
  const { status, host, startedAt, deadlineAt, stopRequestedAt } = execution;
  const record = host === null ? undefined : (await hostRecords(db, [host])).get(host);
  const begun: Reason =
    status === "pulling"
      ? { code: "pulling", message: sentenceOfPulling(host), host }
      : {
          code: "running",
          message: `it runs on ${host} since ${startedAt?.toISOString()}`,
          host,
          startedAt: startedAt?.toISOString(),
          deadlineAt: deadlineAt?.toISOString(),
        };
  const reasons = [begun];
  if (stopRequestedAt !== null) {
    const at = stopRequestedAt.toISOString();
    reasons.push({ code: "stopping", message: `it is being stopped since ${at}`, since: at });
  }
  if (record !== undefined && !isReached(record)) {
    const error = record.host.lastError ?? NO_OWNER;
    const isConfigured = pools.some(({ hosts }) => host !== null && hosts.includes(host));
    const message = isConfigured
      ? `its host does not answer (${error}); it goes on when the host is back`
      : "its host is in no pool of the configuration any more; it goes on when the host is back there";
    reasons.push({ code: "host_unavailable", message, host, error });
  }
  return reasons;
}

function sentenceOfPulling(host: string | null): string {
  return host === null || managerOf(host) === null
    ? `its image is pulled and its container made on ${host}`
    : `${host} finds a node for it, which pulls its image and makes its container`;
}

async function reasonsOfEnd({ db }: ExplainDeps, execution: ExecutionRow): Promise<Reason[]> {
  const { failureCause, exitCode, message, finishedAt } = execution;
  const at = finishedAt?.toISOString();
  const words = message === null ? "" : `: ${message}`;
  const code = failureCause ?? "done";
  const reasons: Reason[] = [
    { code, message: `${sentenceOf(execution)}${words}`, exitCode, finishedAt: at },
  ];
  const successor = await successorOf(db, execution);
  if (successor !== null) {
    const next = `retry ${successor.retry} is execution ${successor.id}`;
    reasons.push({ code: "retried", message: next, execution: successor.id });
  }
  return reasons;
}

function sentenceOf({ status, failureCause, exitCode }: ExecutionRow): string {
  if (status === "done" || failureCause === null) return "its process ended with exit code 0";
  if (failureCause === "exit_code") return `its process ended with exit code ${exitCode}`;
  return END_SENTENCES[failureCause];
}

const END_SENTENCES: Record<Exclude<FailureCause, "exit_code">, string> = {
  oom_killed: "its process was killed for taking too much memory",
  timeout: "it reached its timeout and was stopped",
  stopped: "somebody stopped it",
  expired: "it expired before it could begin",
  image_not_found: "its image was not found",
  pull_denied: "the registry denied its image",
  pull_failed: "its image could not be pulled",
  create_failed: "its container could not be made or started",
  host_lost: "its host or container was lost",
};

function summed(beginning: string, reasons: Reason[]): Explanation {
  const summary = `${beginning}: ${reasons.map(({ message }) => message).join("; ")}`;
  return { summary, reasons };
}
