import { AUDIT_OPERATIONS } from "./audit-operations.ts";
import { FILTER } from "./example-payloads.ts";
import * as examples from "./examples.ts";
import { HOST_OPERATIONS } from "./host-operations.ts";
import { EXECUTION_OPERATIONS, JOB_OPERATIONS } from "./job-operations.ts";
import { ALWAYS, type Answer, type Operation, WITH_BODY } from "./operation.ts";
import { PRUNE_OPERATIONS } from "./prune-operations.ts";
import { STREAM_OPERATIONS } from "./stream-operations.ts";
import { TASK_OPERATIONS } from "./task-operations.ts";
import { TOKEN_OPERATIONS } from "./token-operations.ts";
import { TRANSFER_OPERATIONS } from "./transfer-operations.ts";

const FILTER_EXAMPLES = {
  dryRun: { summary: "Only tell which", value: FILTER },
};
const MANY: Answer = {
  status: 200,
  description: "How many, and which",
  schema: "ManyAnswer",
  example: examples.MANY,
};

const MANY_OPERATIONS: readonly Operation[] = [
  {
    id: "listExecutions",
    method: "get",
    path: "/executions/",
    tag: "Many executions",
    summary: "List executions",
    description: "Executions of all tasks, newest first, without their logs.",
    parameters: ["task", "status", "host", "since", "until", "cursor", "limit"],
    answers: [
      {
        status: 200,
        description: "Executions, and the cursor of the next ones: null when these are the last",
        schema: "ExecutionList",
        example: examples.LISTED,
      },
    ],
    refusals: [...ALWAYS, "query_invalid"],
  },
  {
    id: "stopExecutions",
    method: "post",
    path: "/executions/stop/",
    tag: "Many executions",
    summary: "Stop many executions",
    description:
      "Stops the executions that fit and have not ended, 1,000 at most. At least one key must narrow them.",
    parameters: [],
    request: { schema: "FilterBody", examples: FILTER_EXAMPLES },
    answers: [MANY],
    refusals: WITH_BODY,
  },
  {
    id: "retryExecutions",
    method: "post",
    path: "/executions/retry/",
    tag: "Many executions",
    summary: "Retry many executions",
    description:
      "Retries the job of each execution that fits, once for each job and 1,000 at most. At least one key must narrow them.",
    parameters: [],
    request: { schema: "FilterBody", examples: FILTER_EXAMPLES },
    answers: [MANY],
    refusals: WITH_BODY,
  },
];

const HEALTH: readonly Answer[] = [
  {
    status: 200,
    description: "All is well",
    schema: "HealthAnswer",
    example: examples.HEALTHY,
  },
  {
    status: 500,
    description: "Something is not: one error for each part",
    schema: "HealthAnswer",
    example: examples.ILL,
  },
  {
    status: 503,
    description: "The node is about to stop, and answers on for a moment: turn to another",
    schema: "HealthAnswer",
    example: {
      errors: [{ message: "The node stops", source: "node" }],
      postgres: true,
      queue: true,
    },
  },
];

const SERVICE_OPERATIONS: readonly Operation[] = [
  {
    id: "healthcheck",
    method: "get",
    path: "/healthcheck/",
    tag: "Service",
    summary: "Health",
    description: "Whether Postgres and the queue can be used. It never asks for a password.",
    parameters: [],
    answers: HEALTH,
    refusals: ["host_not_ours"],
    isOpen: true,
  },
  {
    id: "root",
    method: "get",
    path: "/",
    tag: "Service",
    summary: "Health, at the root",
    description: "As /healthcheck/; a browser that asks for HTML is sent to /docs.",
    parameters: [],
    answers: HEALTH,
    refusals: ["not_authenticated", "too_many_failures", "host_not_ours"],
  },
  {
    id: "status",
    method: "get",
    path: "/status/",
    tag: "Service",
    summary: "Status of the farm",
    description: "Docker hosts, what runs on them, schedules to come and the lengths of queues.",
    parameters: [],
    answers: [
      {
        status: 200,
        description: "The farm",
        schema: "StatusAnswer",
        example: examples.STATUS,
      },
    ],
    refusals: ALWAYS,
  },
  {
    id: "metrics",
    method: "get",
    path: "/metrics",
    tag: "Service",
    summary: "Metrics for Prometheus",
    description:
      "What this node counts, and what Postgres tells of the installation, in Prometheus' text format. Whoever may see anything sees all of it: nothing is told by task.",
    parameters: [],
    answers: [
      {
        status: 200,
        description: "The metrics; without those of the installation while Postgres is away",
        example: "# TYPE fastlane_nodes gauge\nfastlane_nodes 2\n",
      },
    ],
    refusals: ["not_authenticated", "too_many_failures", "host_not_ours"],
  },
];

/** Every route of the API. */
export const OPERATIONS: readonly Operation[] = [
  ...TASK_OPERATIONS,
  ...JOB_OPERATIONS,
  ...EXECUTION_OPERATIONS,
  ...STREAM_OPERATIONS,
  ...MANY_OPERATIONS,
  ...HOST_OPERATIONS,
  ...AUDIT_OPERATIONS,
  ...TOKEN_OPERATIONS,
  ...PRUNE_OPERATIONS,
  ...TRANSFER_OPERATIONS,
  ...SERVICE_OPERATIONS,
];
