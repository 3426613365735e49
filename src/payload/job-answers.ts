import * as v from "valibot";
import { Count, Paging, TaskRef, Time, Url, Uuid, Words } from "./answer-parts.ts";
import { Execution } from "./execution-answers.ts";

export const EnqueuedAnswer = v.strictObject({
  execution: v.optional(
    v.pipe(v.nullable(Execution), v.description("only when the request waited for it")),
  ),
  executionId: v.nullable(Uuid),
  executionUrl: v.nullable(Url),
  jobId: Uuid,
  jobUrl: Url,
  notice: v.optional(
    v.pipe(v.string(), v.description("what of the payload will not be done, though it is taken")),
  ),
  queueJobId: v.string(),
  taskId: v.string(),
  taskUrl: Url,
});
export const BulkAnswer = v.array(EnqueuedAnswer);

export const TaskPage = v.strictObject({
  ...Paging,
  items: v.array(
    v.strictObject({
      createdAt: Time,
      jobsCount: Count,
      lastModifiedAt: Time,
      taskId: v.string(),
      url: Url,
    }),
  ),
});

export const TaskAnswer = v.strictObject({
  ...Paging,
  jobs: v.array(v.strictObject({ createdAt: Time, id: Uuid, url: Url })),
  taskId: v.string(),
});

export const Tick = v.strictObject({
  at: Time,
  outcome: v.picklist(["ran", "caught_up", "skipped", "missed"]),
  reason: v.string(),
  executionId: v.nullable(Uuid),
  executionUrl: v.nullable(Url),
  blockedBy: v.nullable(Uuid),
  decidedAt: Time,
});

export const TickPage = v.strictObject({ ...Paging, items: v.array(Tick) });

const ScheduleKeys = {
  cron: v.nullable(v.string()),
  timezone: v.string(),
  overlap: v.picklist(["allow", "skip", "queue"]),
  catchUp: v.picklist(["none", "last", "all"]),
};

export const ScheduleAnswer = v.strictObject({
  schedule: v.nullable(v.strictObject({ ...ScheduleKeys, canceledAt: v.nullable(Time) })),
  next: v.array(
    v.strictObject({
      at: Time,
      local: v.pipe(v.string(), v.description("by the zone's clocks, with their offset from UTC")),
    }),
  ),
});

const Webhook = v.strictObject({
  url: Url,
  method: v.optional(v.string()),
  headers: v.optional(Words),
  retries: v.optional(Count),
  secret: v.optional(v.literal("***")),
});
const perEvent = <Item extends v.GenericSchema>(item: Item) =>
  v.strictObject({
    starts: v.optional(v.array(item)),
    succeeds: v.array(item),
    fails: v.array(item),
    finishes: v.array(item),
  });

/** What a payload asked for, or what stands in where it did not. */
const AskedFor = {
  additionalDNSEntries: v.optional(v.array(v.string())),
  backoff: v.strictObject({
    minMs: Count,
    factor: v.number(),
    maxMs: Count,
    jitter: v.boolean(),
  }),
  catchUp: v.optional(ScheduleKeys.catchUp),
  concurrencyKey: v.optional(v.string()),
  concurrencyLimit: v.optional(Count),
  cron: v.optional(v.string()),
  expiration: v.nullable(Time),
  network: v.optional(v.string()),
  onHostLost: v.picklist(["fail", "rerun"]),
  overlap: v.optional(ScheduleKeys.overlap),
  priority: v.pipe(v.number(), v.integer()),
  pullPolicy: v.picklist(["always", "missing", "never"]),
  registryAuth: v.optional(v.string()),
  resources: v.optional(
    v.strictObject({
      cpus: v.optional(v.number()),
      memoryBytes: v.optional(Count),
      pids: v.optional(Count),
    }),
  ),
  retryOn: v.nullable(v.pipe(v.array(Count), v.readonly())),
  timezone: v.optional(v.string()),
  user: v.optional(v.string()),
  workdir: v.optional(v.string()),
};

export const JobAnswer = v.strictObject({
  job: v.strictObject({
    command: v.string(),
    createdAt: Time,
    executionCount: Count,
    executions: v.array(Execution),
    image: v.string(),
    lastModifiedAt: Time,
    metadata: v.strictObject({
      ...AskedFor,
      custom: v.pipe(v.record(v.string(), v.unknown()), v.description("the job's own metadata")),
      enqueued_id: v.nullable(v.string()),
      envs: v.pipe(Words, v.description("those whose names look secret as ***")),
      notify: perEvent(v.string()),
      retries: Count,
      retry_count: Count,
      timeout: Count,
      webhooks: perEvent(Webhook),
    }),
    nextScheduledAt: v.nullable(Time),
    requestIPAddress: v.nullable(v.string()),
    scheduled: v.boolean(),
    taskId: v.string(),
    ticks: v.array(Tick),
  }),
  task: TaskRef,
});
export type JobAnswer = v.InferOutput<typeof JobAnswer>;

export const JobVerbAnswer = v.strictObject({
  jobId: Uuid,
  jobUrl: Url,
  taskId: v.string(),
  taskUrl: Url,
});
