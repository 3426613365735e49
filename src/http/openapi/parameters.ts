import { STATUSES } from "../../core/status.ts";
import { AUDIT_PARAMETERS } from "./audit-parameters.ts";
import { LOG_PARAMETERS } from "./log-parameters.ts";
import { moment, type Parameter, wholeNumber } from "./parameter.ts";
import type { Schema } from "./schemas.ts";

/** The ids of the documented examples: they name one job, which the example of `putJob` makes. */
export const EXAMPLE_IDS = {
  taskId: "nightly-report",
  jobId: "5a023792-1445-44e9-8a8b-cfe5ad05d1c6",
  executionId: "36e1b166-7c7a-4a41-a69e-8f78a9ec8128",
  deliveryId: "0a6b1f0e-5a0c-4d8f-9b64-0f8c3fb9f3f5",
} as const;

const uuid: Schema = { type: "string", format: "uuid" };

const PATH = {
  taskId: {
    in: "path",
    description: "the task, percent-encoded; its first job makes it",
    schema: { type: "string", minLength: 1, maxLength: 200 },
    example: EXAMPLE_IDS.taskId,
  },
  jobId: { in: "path", description: "the job", schema: uuid, example: EXAMPLE_IDS.jobId },
  executionId: {
    in: "path",
    description: "the execution",
    schema: uuid,
    example: EXAMPLE_IDS.executionId,
  },
  deliveryId: {
    in: "path",
    description: "the webhook or mail",
    schema: uuid,
    example: EXAMPLE_IDS.deliveryId,
  },
  tokenName: {
    in: "path",
    description: "the name of the token",
    schema: { type: "string", pattern: "^[A-Za-z0-9._-]{1,100}$" },
    example: "ci",
  },
} as const satisfies Record<string, Parameter>;

const LISTS = {
  page: {
    in: "query",
    description: "which page, counted from 1; the first when absent",
    schema: wholeNumber(1, 1_000_000),
    example: 1,
  },
  perPage: {
    in: "query",
    description: "how many a page has; as the service is configured when absent",
    schema: wholeNumber(1, 100),
    example: 25,
  },
  query: {
    in: "query",
    description: "whole words of a task's id, all of which must be in it",
    required: true,
    schema: { type: "string", minLength: 1, maxLength: 500 },
    example: "report",
  },
  limit: {
    in: "query",
    description: "how many are listed at most; 100 when absent",
    schema: wholeNumber(1, 1_000),
    example: 50,
  },
  cursor: {
    in: "query",
    description: "the nextCursor of the answer before",
    schema: { type: "string" },
    example: btoa(`2030-03-29T03:00:00.000000Z ${EXAMPLE_IDS.executionId}`),
  },
  all: {
    in: "query",
    description: "whether those that are revoked or have expired are listed too",
    schema: { type: "boolean" },
    example: true,
  },
  withoutSecrets: {
    in: "query",
    description: "whether secret variables, and headers and secrets of webhooks, are left out",
    schema: { type: "boolean" },
    example: true,
  },
  dryRun: {
    in: "query",
    description: "whether it is only told what would be done",
    schema: { type: "boolean" },
    example: true,
  },
  count: {
    in: "query",
    description: "how many times are told; 10 when absent",
    schema: wholeNumber(1, 100),
    example: 3,
  },
} as const satisfies Record<string, Parameter>;

const FILTER = {
  task: {
    in: "query",
    description: "id of the task",
    schema: { type: "string" },
    example: EXAMPLE_IDS.taskId,
  },
  status: {
    in: "query",
    description: `one or several of ${STATUSES.join(", ")}, with commas between them`,
    schema: { type: "string", pattern: `^(${STATUSES.join("|")})(,(${STATUSES.join("|")}))*$` },
    example: "done,failed",
  },
  host: {
    in: "query",
    description: "a Docker host: its whole text, or name:port",
    schema: { type: "string" },
    example: "10.0.0.7:2375",
  },
  since: {
    in: "query",
    description: "created at or after: UNIX seconds or ISO 8601",
    schema: moment,
    example: "2026-01-01T00:00:00Z",
  },
  until: {
    in: "query",
    description: "created before: UNIX seconds or ISO 8601",
    schema: moment,
    example: "2100-01-01T00:00:00Z",
  },
} as const satisfies Record<string, Parameter>;

const ASKING = {
  wait: {
    in: "query",
    description:
      "seconds to wait for the end of the execution: the answer then comes when it has ended, or when they are over, and has the execution in it",
    schema: wholeNumber(0, 60),
    example: 10,
  },
  "Idempotency-Key": {
    in: "header",
    description:
      "the same key within 24 hours gives the first answer again and enqueues nothing; as idempotencyKey of the payload",
    schema: { type: "string", minLength: 1, maxLength: 200 },
    example: "report-2026-03-29",
  },
  "X-Request-ID": {
    in: "header",
    description: "names the request in the service's log; one is made when it is absent",
    schema: { type: "string", pattern: "^[\\w.:/+=@-]{1,200}$" },
    example: "req-8f2c",
  },
  traceparent: {
    in: "header",
    description:
      "the trace that goes on in what the request makes, after W3C Trace Context, where a collector is configured; as absent when it is malformed",
    schema: { type: "string" },
    example: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  },
  tracestate: {
    in: "header",
    description: "what goes with traceparent, handed on as it is",
    schema: { type: "string" },
    example: "vendor=opaque",
  },
} as const satisfies Record<string, Parameter>;

export const PARAMETERS = {
  ...PATH,
  ...LISTS,
  ...FILTER,
  ...ASKING,
  ...LOG_PARAMETERS,
  ...AUDIT_PARAMETERS,
} satisfies Record<string, Parameter>;
export type ParameterName = keyof typeof PARAMETERS;
