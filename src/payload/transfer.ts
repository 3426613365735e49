import * as v from "valibot";
import { AppError, type Issue } from "../core/errors.ts";
import { formatMemory } from "../core/resources.ts";
import { Time, Uuid } from "./answer-parts.ts";
import type { ContainerRequest, JobRules } from "./job-details.ts";
import type { JobPayload } from "./job-payload.ts";
import { exactObject, listOf, shortText } from "./limits.ts";
import { checkPayload, isTaskId, parseJsonBody, sentence, toIssue } from "./parse.ts";
import { isObject } from "./text.ts";

/** Of the document that an export is; another one is refused. */
const FORMAT = 1;
const MAX_JOBS = 10_000;
const CANNOT = "Cannot import";

const Payload = v.custom<Record<string, unknown>>(isObject, "must be an object");

export const ImportBody = exactObject({
  format: v.pipe(v.literal(FORMAT, `must be ${FORMAT}`), v.description("of this document")),
  schedules: listOf(
    exactObject({
      taskId: v.pipe(
        shortText(400),
        v.check(isTaskId, 'must have 1 to 200 characters, without "/" and control characters'),
        v.description("the task"),
      ),
      jobId: v.pipe(
        v.string(),
        v.uuid("must be a UUID"),
        v.description("the job, which is the same job again"),
      ),
      payload: v.pipe(Payload, v.description("as it is POSTed to make the job")),
    }),
    MAX_JOBS,
  ),
  hosts: v.optional(
    listOf(
      exactObject({
        name: v.pipe(shortText(1_000), v.description("as the configuration writes it")),
        drainDeadline: v.nullable(v.pipe(v.string(), v.isoTimestamp("must be ISO 8601"))),
      }),
      MAX_JOBS,
    ),
    [],
  ),
});

export const ExportAnswer = v.strictObject({
  format: v.literal(FORMAT),
  schedules: v.array(
    v.strictObject({ taskId: v.string(), jobId: Uuid, payload: v.record(v.string(), v.unknown()) }),
  ),
  hosts: v.pipe(
    v.array(v.strictObject({ name: v.string(), drainDeadline: v.nullable(Time) })),
    v.description("those that are blacklisted"),
  ),
});
export type ExportAnswer = v.InferOutput<typeof ExportAnswer>;

export const ImportAnswer = v.strictObject({
  dryRun: v.boolean(),
  jobs: v.array(
    v.strictObject({
      taskId: v.string(),
      jobId: Uuid,
      outcome: v.pipe(
        v.picklist(["made", "replaced", "unchanged", "over"]),
        v.description("over: its one moment is past, and nothing is made of it"),
      ),
    }),
  ),
  blacklisted: v.array(v.string()),
});
export type ImportAnswer = v.InferOutput<typeof ImportAnswer>;

export interface Import {
  schedules: { taskId: string; jobId: string; payload: JobPayload }[];
  hosts: { name: string; drainDeadline: string | null }[];
}

/** @throws {AppError} `body_unreadable` or `payload_invalid`, with every wrong place named. */
export function parseImport(body: string): Import {
  const result = v.safeParse(ImportBody, parseJsonBody(body));
  if (!result.success) throw invalid(result.issues.map(toIssue));
  const issues: Issue[] = [];
  const schedules = result.output.schedules.flatMap(({ taskId, jobId, payload }, index) => {
    const checked = checkPayload(payload);
    const at = `schedules.${index}.payload`;
    issues.push(...checked.issues.map((each) => ({ ...each, path: `${at}.${each.path}` })));
    if (checked.payload === null) return [];
    // As the row will have it: by these letters what is secret of it is sealed.
    return [{ taskId, jobId: jobId.toLowerCase(), payload: checked.payload }];
  });
  if (issues.length > 0) throw invalid(issues);
  return { schedules, hosts: result.output.hosts };
}

const invalid = (issues: Issue[]) =>
  new AppError("payload_invalid", sentence(CANNOT, issues), { issues });

/** What of a job and its schedule a payload is made from again. */
export interface ExportedJob {
  request: ContainerRequest;
  rules: JobRules;
  priority: number;
  custom: Record<string, unknown>;
  schedule: {
    cron: string | null;
    timezone: string;
    overlap: string;
    catchUp: string;
    nextAt: Date;
  };
}

/**
 * A payload that makes the same job.
 *
 * @param isSecret Whether a variable is left out by its name; with it, webhooks lose headers and
 *   secrets. `null` leaves out nothing.
 */
export function payloadOf(
  { request, rules, priority, custom, schedule }: ExportedJob,
  isSecret: ((name: string) => boolean) | null,
): Record<string, unknown> {
  const { cron, timezone, overlap, catchUp, nextAt } = schedule;
  const envs = Object.entries(request.envs).filter(([name]) => isSecret?.(name) !== true);
  const { cpus, memoryBytes, pids } = request;
  const memory = memoryBytes === undefined ? undefined : formatMemory(memoryBytes);
  const resources = { cpus, memory, pids };
  const hasResources = Object.values(resources).some((value) => value !== undefined);
  const payload = {
    image: request.imageText,
    command: request.words,
    envs: Object.fromEntries(envs),
    metadata: custom,
    pullPolicy: request.pullPolicy,
    registryAuth: request.registryAuth,
    ...(cron === null ? { startAt: nextAt.toISOString() } : { cron, timezone, overlap, catchUp }),
    retries: rules.retries,
    backoff: rules.backoff,
    retryOn: rules.retryOn ?? undefined,
    expiration: rules.expiresAt ?? undefined,
    timeout: rules.timeoutSeconds,
    priority,
    concurrencyKey: rules.concurrency?.key,
    concurrencyLimit: rules.concurrency?.limit,
    onHostLost: rules.onHostLost,
    resources: hasResources ? resources : undefined,
    network: request.network,
    user: request.user,
    workdir: request.workdir,
    additionalDNSEntries:
      request.extraHosts && Object.fromEntries(request.extraHosts.map(nameAndAddress)),
    notify: rules.notify,
    webhooks: isSecret === null ? rules.webhooks : withoutSecrets(rules.webhooks),
  };
  // As it is read again: without the keys that have no value.
  return JSON.parse(JSON.stringify(payload)) as Record<string, unknown>;
}

function nameAndAddress(entry: string): [string, string] {
  const colon = entry.indexOf(":");
  return [entry.slice(0, colon), entry.slice(colon + 1)];
}

function withoutSecrets(webhooks: JobRules["webhooks"]) {
  const lists = Object.entries(webhooks).map(([event, list]) => [
    event,
    list?.map(({ headers: _, secret: __, ...rest }) => rest),
  ]);
  return Object.fromEntries(lists);
}
