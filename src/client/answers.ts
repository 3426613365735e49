import * as v from "valibot";

/*
 * Of the API's answers what commands show. What else there is, or comes with a later server, is
 * passed over.
 */

const Time = v.string();
const MaybeTime = v.nullable(Time);
const MaybeText = v.nullable(v.string());
const Pages = { page: v.number(), pages: v.number(), total: v.number() };

export const TaskList = v.object({
  ...Pages,
  items: v.array(
    v.object({
      taskId: v.string(),
      jobsCount: v.number(),
      createdAt: Time,
      lastModifiedAt: Time,
    }),
  ),
});

export const JobList = v.object({
  ...Pages,
  taskId: v.string(),
  jobs: v.array(v.object({ id: v.string(), createdAt: Time })),
});

const State = {
  executionId: v.string(),
  status: v.string(),
  exitCode: v.nullable(v.number()),
  failureCause: MaybeText,
  createdAt: Time,
  startedAt: MaybeTime,
  finishedAt: MaybeTime,
  logState: MaybeText,
  logBytes: v.nullable(v.number()),
  logLines: v.nullable(v.number()),
};
const Where = {
  container_id: MaybeText,
  docker_host: MaybeText,
  docker_port: v.nullable(v.number()),
};

export const ExecutionDetails = v.object({
  ...State,
  image: v.string(),
  command: v.string(),
  error: v.string(),
  metadata: v.object({ ...Where, retry: v.number(), retryOf: MaybeText, tickAt: MaybeTime }),
});
export type ExecutionDetails = v.InferOutput<typeof ExecutionDetails>;

export const ExecutionAnswer = v.object({
  execution: ExecutionDetails,
  job: v.object({ id: v.string() }),
  task: v.object({ id: v.string() }),
});
export type ExecutionAnswer = v.InferOutput<typeof ExecutionAnswer>;

const ListedExecution = v.object({ ...State, ...Where, jobId: v.string(), taskId: v.string() });
export const ExecutionList = v.object({
  items: v.array(ListedExecution),
  nextCursor: MaybeText,
});
export type ExecutionList = v.InferOutput<typeof ExecutionList>;

export const JobAnswer = v.object({
  job: v.object({
    image: v.string(),
    command: v.string(),
    createdAt: Time,
    lastModifiedAt: Time,
    executionCount: v.number(),
    executions: v.array(ExecutionDetails),
    scheduled: v.boolean(),
    nextScheduledAt: MaybeTime,
    ticks: v.array(v.object({ at: Time, outcome: v.string(), reason: v.string() })),
    metadata: v.object({
      cron: v.optional(v.string()),
      timezone: v.optional(v.string()),
      overlap: v.optional(v.string()),
      catchUp: v.optional(v.string()),
      retries: v.number(),
      timeout: v.number(),
      priority: v.number(),
      pullPolicy: v.string(),
      concurrencyKey: v.optional(v.string()),
      concurrencyLimit: v.optional(v.number()),
    }),
  }),
  task: v.object({ id: v.string() }),
});
export type JobAnswer = v.InferOutput<typeof JobAnswer>;

export const ScheduleAnswer = v.object({
  next: v.array(v.object({ at: Time, local: v.string() })),
});

export const WhyAnswer = v.object({
  summary: v.string(),
  reasons: v.array(v.object({ code: v.string(), message: v.string() })),
});

export const DeliveryList = v.object({
  items: v.array(
    v.object({
      event: v.string(),
      kind: v.string(),
      target: v.string(),
      status: v.string(),
      maxTries: v.number(),
      dueAt: MaybeTime,
      attempts: v.array(v.object({ error: MaybeText })),
    }),
  ),
});
export type DeliveryList = v.InferOutput<typeof DeliveryList>;

export const EnqueuedAnswer = v.object({
  executionId: MaybeText,
  jobId: v.string(),
  taskId: v.string(),
});

export const ManyAnswer = v.object({
  count: v.number(),
  executions: v.array(v.object({ id: v.string(), jobId: v.string(), taskId: v.string() })),
  nextCursor: MaybeText,
  skipped: v.array(v.object({ jobId: v.string(), reason: v.string() })),
});
export type ManyAnswer = v.InferOutput<typeof ManyAnswer>;
