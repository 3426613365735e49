import * as payloads from "./example-payloads.ts";
import * as examples from "./examples.ts";
import { ALWAYS, type Operation, WITH_BODY } from "./operation.ts";

const JOB_EXAMPLES = {
  smallest: { summary: "An image and a command", value: payloads.SMALLEST_PAYLOAD },
  retried: { summary: "Tried again, limited, one of a few", value: payloads.RETRIED_PAYLOAD },
  cron: { summary: "Every night at three in Berlin", value: payloads.CRON_PAYLOAD },
  later: { summary: "Once, later; people and programs are told", value: payloads.LATER_PAYLOAD },
};

const ENQUEUE_REFUSALS = [
  ...WITH_BODY,
  "payload_not_allowed",
  "no_pool",
  "task_id_invalid",
  "query_invalid",
] as const;

/** The routes of tasks, and those that make jobs. */
export const TASK_OPERATIONS: readonly Operation[] = [
  {
    id: "enqueueJob",
    method: "post",
    path: "/tasks/{taskId}/",
    tag: "Tasks",
    summary: "Enqueue a job",
    description:
      "Makes a job, and enqueues its first execution or gives it its schedule. A scheduled job has no execution yet: its executionId and executionUrl are null.",
    parameters: ["taskId", "wait", "Idempotency-Key", "traceparent", "tracestate"],
    request: { schema: "JobPayload", examples: JOB_EXAMPLES },
    answers: [
      {
        status: 200,
        description: "What was made, and where more is told of it",
        schema: "EnqueuedAnswer",
        example: examples.ENQUEUED,
      },
    ],
    refusals: [...ENQUEUE_REFUSALS, "idempotency_key_taken"],
  },
  {
    id: "enqueueJobs",
    method: "post",
    path: "/tasks/{taskId}/bulk/",
    tag: "Tasks",
    summary: "Enqueue many jobs",
    description:
      "Makes up to 1,000 jobs in one transaction: all of them, or none when one is wrong. The answers come in the order of the payloads.",
    parameters: ["taskId", "traceparent", "tracestate"],
    request: {
      schema: "BulkPayload",
      examples: {
        two: {
          summary: "One now, and one every night",
          value: [payloads.SMALLEST_PAYLOAD, payloads.CRON_PAYLOAD],
        },
      },
    },
    answers: [
      {
        status: 200,
        description: "What was made of each payload",
        schema: "BulkAnswer",
        example: [examples.ENQUEUED],
      },
    ],
    refusals: [
      ...ENQUEUE_REFUSALS.filter((refusal) => refusal !== "query_invalid"),
      "idempotency_key_taken",
    ],
  },
  {
    id: "listTasks",
    method: "get",
    path: "/tasks/",
    tag: "Tasks",
    summary: "All tasks",
    description: "Every task, a page at a time. Follow nextUrl and prevUrl.",
    parameters: ["page", "perPage"],
    answers: [
      {
        status: 200,
        description: "A page of tasks",
        schema: "TaskPage",
        example: examples.TASK_PAGE,
      },
    ],
    refusals: [...ALWAYS, "query_invalid"],
  },
  {
    id: "searchTasks",
    method: "get",
    path: "/search/",
    tag: "Tasks",
    summary: "Search for tasks",
    description:
      "Tasks with all of these words in their id. Words are whole: hel does not find hello-world, world does.",
    parameters: ["query", "page", "perPage"],
    answers: [
      {
        status: 200,
        description: "A page of tasks",
        schema: "TaskPage",
        example: examples.TASK_PAGE,
      },
    ],
    refusals: [...ALWAYS, "query_invalid"],
  },
  {
    id: "getTask",
    method: "get",
    path: "/tasks/{taskId}/",
    tag: "Tasks",
    summary: "The jobs of a task",
    description: "A task's jobs, newest first, 100 a page when perPage is absent.",
    parameters: ["taskId", "page", "perPage"],
    answers: [
      { status: 200, description: "A page of jobs", schema: "TaskAnswer", example: examples.TASK },
    ],
    refusals: [...ALWAYS, "task_id_invalid", "query_invalid", "task_not_found"],
  },
  {
    id: "putJob",
    method: "put",
    path: "/tasks/{taskId}/jobs/{jobId}/",
    tag: "Jobs",
    summary: "Make or change a job",
    description:
      "Makes a job under an id of yours, or gives a job new details and a new schedule in place of the old ones, and enqueues it. What already runs or waits goes on as it was made.",
    parameters: ["taskId", "jobId", "Idempotency-Key", "traceparent", "tracestate"],
    request: {
      schema: "JobPayload",
      examples: { job: { summary: "A job with variables", value: payloads.PAYLOAD } },
    },
    answers: [
      {
        status: 200,
        description: "What was made",
        schema: "EnqueuedAnswer",
        example: examples.ENQUEUED,
      },
    ],
    refusals: [
      ...ENQUEUE_REFUSALS,
      "job_id_invalid",
      "idempotency_key_taken",
      "job_of_another_task",
    ],
  },
];
