import { DELIVERY_OPERATIONS } from "./delivery-operations.ts";
import * as examples from "./examples.ts";
import { EVENTS } from "./log-examples.ts";
import { textOperations } from "./log-operations.ts";
import { ALWAYS, type Answer, CHANGING, type Operation } from "./operation.ts";

const JOB = "/tasks/{taskId}/jobs/{jobId}/";
const EXECUTION = `${JOB}executions/{executionId}/`;

const OF_JOB = ["task_id_invalid", "job_not_found"] as const;
const OF_EXECUTION = ["task_id_invalid", "execution_not_found"] as const;
const WHY: Answer = {
  status: 200,
  description: "One sentence, and each reason with a code and what it is about",
  schema: "WhyAnswer",
  example: examples.WHY,
};

export const JOB_OPERATIONS: readonly Operation[] = [
  {
    id: "getJob",
    method: "get",
    path: JOB,
    tag: "Jobs",
    summary: "Job details",
    description:
      "A job with its last 20 executions and its schedule's last 20 ticks. Logs have the last 64 KiB of each stream, and logTruncated where there is more.",
    parameters: ["taskId", "jobId"],
    answers: [{ status: 200, description: "The job", schema: "JobAnswer", example: examples.JOB }],
    refusals: [...ALWAYS, ...OF_JOB],
  },
  ...textOperations("Job"),
  {
    id: "stopJob",
    method: "post",
    path: `${JOB}stop/`,
    tag: "Jobs",
    summary: "Stop a job",
    description:
      "Stops the last execution in whatever state it is, and cancels schedule and retries. On what has ended it changes nothing.",
    parameters: ["taskId", "jobId"],
    answers: [
      {
        status: 200,
        description: "It is stopped, or being stopped",
        schema: "JobVerbAnswer",
        example: examples.JOB_VERB,
      },
    ],
    refusals: [...CHANGING, ...OF_JOB],
  },
  {
    id: "retryJob",
    method: "post",
    path: `${JOB}retry/`,
    tag: "Jobs",
    summary: "Retry a job",
    description:
      "Enqueues a new execution with the job's details. One that has not ended is stopped first.",
    parameters: ["taskId", "jobId", "traceparent", "tracestate"],
    answers: [
      {
        status: 200,
        description: "The new execution",
        schema: "EnqueuedAnswer",
        example: examples.ENQUEUED,
      },
    ],
    refusals: [
      ...CHANGING,
      ...OF_JOB,
      "nothing_to_retry",
      "job_is_scheduled",
      "no_pool",
      "payload_not_allowed",
    ],
  },
  {
    id: "whyJob",
    method: "get",
    path: `${JOB}why/`,
    tag: "Jobs",
    summary: "Why a job is as it is",
    description: "Why the last execution has not started, what it does now, or how it ended.",
    parameters: ["taskId", "jobId"],
    answers: [WHY],
    refusals: [...ALWAYS, ...OF_JOB],
  },
  {
    id: "listTicks",
    method: "get",
    path: `${JOB}ticks/`,
    tag: "Jobs",
    summary: "What became of each tick",
    description: "The ledger of a schedule, newest first: which times ran, and why others did not.",
    parameters: ["taskId", "jobId", "page", "perPage"],
    answers: [
      { status: 200, description: "A page of ticks", schema: "TickPage", example: examples.TICKS },
    ],
    refusals: [...ALWAYS, ...OF_JOB, "query_invalid"],
  },
  {
    id: "getSchedule",
    method: "get",
    path: `${JOB}schedule/`,
    tag: "Jobs",
    summary: "When a job runs next",
    description: "The schedule and its next times; null and none for a job that has no schedule.",
    parameters: ["taskId", "jobId", "count"],
    answers: [
      {
        status: 200,
        description: "The schedule",
        schema: "ScheduleAnswer",
        example: examples.SCHEDULE,
      },
    ],
    refusals: [...ALWAYS, ...OF_JOB, "query_invalid"],
  },
];

export const EXECUTION_OPERATIONS: readonly Operation[] = [
  {
    id: "getExecution",
    method: "get",
    path: EXECUTION,
    tag: "Executions",
    summary: "Execution details",
    description: "An execution with the last 64 KiB of each stream.",
    parameters: ["taskId", "jobId", "executionId"],
    answers: [
      {
        status: 200,
        description: "The execution",
        schema: "ExecutionAnswer",
        example: examples.EXECUTION_DETAILS,
      },
    ],
    refusals: [...ALWAYS, ...OF_EXECUTION],
  },
  ...textOperations("Execution"),
  {
    id: "getExecutionEvents",
    method: "get",
    path: `${EXECUTION}events/`,
    tag: "Executions",
    summary: "Execution events",
    description:
      "The log and the state as server-sent events, until the end: log, gap, status and done. A client that comes again with Last-Event-ID goes on without loss or repeat.",
    parameters: ["taskId", "jobId", "executionId", "after", "streams", "exact", "Last-Event-ID"],
    answers: [
      {
        status: 200,
        description: "The events, as they happen",
        type: "text/event-stream",
        example: EVENTS,
      },
      {
        status: 204,
        description: "The client has had the last event, done: a browser asks no more",
        type: null,
      },
    ],
    refusals: [...ALWAYS, ...OF_EXECUTION, "query_invalid"],
  },
  {
    id: "stopExecution",
    method: "post",
    path: `${EXECUTION}stop/`,
    tag: "Executions",
    summary: "Stop an execution",
    description:
      "Stops this execution in whatever state it is; no retry follows. A schedule of its job goes on.",
    parameters: ["taskId", "jobId", "executionId"],
    answers: [
      {
        status: 200,
        description: "It is stopped, or being stopped",
        schema: "ExecutionVerbAnswer",
        example: examples.EXECUTION_VERB,
      },
    ],
    refusals: [...CHANGING, ...OF_EXECUTION],
  },
  ...DELIVERY_OPERATIONS,
  {
    id: "whyExecution",
    method: "get",
    path: `${EXECUTION}why/`,
    tag: "Executions",
    summary: "Why an execution is as it is",
    description: "Why it has not started, what it does now, or how it ended.",
    parameters: ["taskId", "jobId", "executionId"],
    answers: [WHY],
    refusals: [...ALWAYS, ...OF_EXECUTION],
  },
];
