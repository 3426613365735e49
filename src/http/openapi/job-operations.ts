import * as examples from "./examples.ts";
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

const TEXT_KEYS = ["tail", "logSince", "follow", "format", "after", "download"] as const;
const TEXT_HEADERS = ["Range", "If-Range", "If-None-Match"] as const;

const TEXTS = [
  {
    name: "Logs",
    path: "logs/",
    what: "stdout and stderr, with a line -=- between them",
    parameters: ["stream", ...TEXT_KEYS, ...TEXT_HEADERS],
    example: `${examples.STDOUT}\n-=-\n${examples.STDERR}`,
  },
  {
    name: "Stdout",
    path: "stdout/",
    what: "stdout",
    parameters: [...TEXT_KEYS, ...TEXT_HEADERS],
    example: examples.STDOUT,
  },
  {
    name: "Stderr",
    path: "stderr/",
    what: "stderr",
    parameters: [...TEXT_KEYS, ...TEXT_HEADERS],
    example: examples.STDERR,
  },
] as const;

/** The three routes that give a log as text. */
function textOperations(of: "Job" | "Execution"): Operation[] {
  const isJob = of === "Job";
  const whose = isJob ? "the job's last execution" : "the execution";
  return TEXTS.map(({ name, path, what, parameters, example }) => ({
    id: `get${of}${name}`,
    method: "get",
    path: (isJob ? JOB : EXECUTION) + path,
    tag: isJob ? "Jobs" : "Executions",
    summary: `${isJob ? "Job" : "Execution"} ${name.toLowerCase()}`,
    description: `All that ${whose} has written so far: ${what}.`,
    parameters: isJob
      ? ["taskId", "jobId", ...parameters]
      : ["taskId", "jobId", "executionId", ...parameters],
    answers: [
      {
        status: 200,
        description: "The text; once there is an exit code, Fastlane-Exit-Code has it",
        example,
        headers: ["Fastlane-Exit-Code"],
        ndjson: examples.NDJSON,
      },
      {
        status: 206,
        description: "The range of the text",
        example: example.slice(0, 5),
        headers: ["Fastlane-Exit-Code", "Accept-Ranges", "Content-Range", "ETag"],
      },
      { status: 304, description: "The text is still the same", type: null },
    ],
    refusals: [
      ...ALWAYS,
      "query_invalid",
      "range_not_satisfiable",
      ...(isJob ? ([...OF_JOB, "execution_not_found"] as const) : OF_EXECUTION),
    ],
  }));
}

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
    parameters: ["taskId", "jobId"],
    answers: [
      {
        status: 200,
        description: "The new execution",
        schema: "EnqueuedAnswer",
        example: examples.ENQUEUED,
      },
    ],
    refusals: [...CHANGING, ...OF_JOB, "nothing_to_retry", "job_is_scheduled", "no_pool"],
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
    parameters: ["taskId", "jobId", "executionId", "after", "streams", "Last-Event-ID"],
    answers: [
      {
        status: 200,
        description: "The events, as they happen",
        type: "text/event-stream",
        example: examples.EVENTS,
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
