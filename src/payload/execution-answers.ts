import * as v from "valibot";
import { EVENTS } from "../core/events.ts";
import { LOG_STATES } from "../core/log-state.ts";
import {
  Cause,
  Count,
  ExecutionRef,
  JobRef,
  StatusName,
  TaskRef,
  Time,
  Url,
  Uuid,
  Where,
} from "./answer-parts.ts";

/** What is kept of a log, and how large it was. */
const Log = {
  logState: v.pipe(
    v.nullable(v.picklist(LOG_STATES)),
    v.description(
      "null until it has ended; truncated when its middle was left out since it was larger than the service keeps; gap when parts may be missing that nobody could read",
    ),
  ),
  logBytes: v.pipe(v.nullable(Count), v.description("what was written to stdout and stderr")),
  logLines: v.nullable(Count),
  logDropped: v.pipe(
    v.optional(v.literal(true)),
    v.description("the log was removed, as the service's retention says"),
  ),
};

const WebhookDispatch = v.strictObject({
  timestamp: Time,
  event: v.picklist(EVENTS),
  url: v.string(),
  statusCode: v.nullable(Count),
  body: v.pipe(v.string(), v.description("the first 2 KiB of the answer")),
  error: v.nullable(v.string()),
});

export const Execution = v.strictObject({
  command: v.string(),
  createdAt: Time,
  error: v.pipe(
    v.string(),
    v.description("the last 64 KiB of stderr, and Docker's or fastlane's words"),
  ),
  executionId: Uuid,
  exitCode: v.nullable(v.pipe(v.number(), v.integer())),
  failureCause: Cause,
  finishedAt: v.nullable(Time),
  image: v.string(),
  log: v.pipe(v.string(), v.description("the last 64 KiB of stdout")),
  ...Log,
  logCut: v.pipe(
    v.optional(v.strictObject({ after: Count, to: Count, bytes: Count, lines: Count })),
    v.description("what was left out of a log above maxLogBytes, between these two of its frames"),
  ),
  logTruncated: v.optional(v.literal(true)),
  metadata: v.strictObject({
    ...Where,
    retry: Count,
    retryOf: v.nullable(Uuid),
    tickAt: v.nullable(Time),
    webhookDispatch: v.optional(
      v.pipe(
        v.array(WebhookDispatch),
        v.description("the last three tries of the webhooks of its payload"),
      ),
    ),
  }),
  requestIPAddress: v.nullable(v.string()),
  startedAt: v.nullable(Time),
  status: StatusName,
  traceId: v.pipe(
    v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/))),
    v.description("the trace that it is told of in, where a collector is configured"),
  ),
});
export type Execution = v.InferOutput<typeof Execution>;

export const ExecutionAnswer = v.strictObject({ execution: Execution, job: JobRef, task: TaskRef });

export const ExecutionVerbAnswer = v.strictObject({
  execution: ExecutionRef,
  job: JobRef,
  task: TaskRef,
});

const ListedExecution = v.strictObject({
  ...Where,
  createdAt: Time,
  executionId: Uuid,
  exitCode: v.nullable(v.pipe(v.number(), v.integer())),
  failureCause: Cause,
  finishedAt: v.nullable(Time),
  jobId: Uuid,
  ...Log,
  startedAt: v.nullable(Time),
  status: StatusName,
  taskId: v.string(),
  url: Url,
});
export type ListedExecution = v.InferOutput<typeof ListedExecution>;

export const ExecutionList = v.strictObject({
  items: v.array(ListedExecution),
  nextCursor: v.nullable(v.string()),
});

export const ManyAnswer = v.strictObject({
  count: v.pipe(Count, v.description("how many it was done to, or would be")),
  dryRun: v.boolean(),
  executions: v.array(v.strictObject({ id: Uuid, jobId: Uuid, taskId: v.string(), url: Url })),
  nextCursor: v.pipe(
    v.nullable(v.string()),
    v.description("where those begin that fit beyond the first 1,000: ask again with it"),
  ),
  skipped: v.array(v.strictObject({ jobId: Uuid, reason: v.string() })),
});

export const WhyAnswer = v.strictObject({
  summary: v.string(),
  reasons: v.array(v.looseObject({ code: v.string(), message: v.string() })),
});
export type WhyAnswer = v.InferOutput<typeof WhyAnswer>;
