import { LOG_STREAMS } from "../../core/log-streams.ts";
import { STATUSES } from "../../core/status.ts";
import { AUDIT_PARAMETERS } from "./audit-parameters.ts";
import type { Schema } from "./schemas.ts";

interface Parameter {
  /** Where another parameter has this one's key. */
  name?: string;
  in: "path" | "query" | "header";
  description: string;
  /** Absent for those of a path, which always are. */
  required?: true;
  schema: Schema;
  example: string | number | boolean;
}

/** The ids of the documented examples: they name one job, which the example of `putJob` makes. */
export const EXAMPLE_IDS = {
  taskId: "nightly-report",
  jobId: "5a023792-1445-44e9-8a8b-cfe5ad05d1c6",
  executionId: "36e1b166-7c7a-4a41-a69e-8f78a9ec8128",
  deliveryId: "0a6b1f0e-5a0c-4d8f-9b64-0f8c3fb9f3f5",
} as const;

const uuid: Schema = { type: "string", format: "uuid" };
const moment: Schema = { type: "string", minLength: 1, maxLength: 64 };
const wholeNumber = (minimum: number, maximum: number): Schema => ({
  type: "integer",
  minimum,
  maximum,
});

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
  tail: {
    in: "query",
    description:
      "only the last lines of each stream; followed, or as ndjson, those of all streams together",
    schema: wholeNumber(1, 1_000_000),
    example: 20,
  },
  logSince: {
    name: "since",
    in: "query",
    description:
      "from what was written at that time on: how long ago, such as 10m or 1h30m, UNIX seconds or ISO 8601",
    schema: moment,
    example: "48h",
  },
  format: {
    in: "query",
    description: "text when absent; ndjson is a line of JSON for each frame, in their order",
    schema: { type: "string", enum: ["text", "ndjson"] },
    example: "ndjson",
  },
  download: {
    in: "query",
    description: "whether a browser is to save the text as a file",
    schema: { type: "boolean" },
    example: true,
  },
  Range: {
    in: "header",
    description:
      "a single range of bytes of the whole text of an execution that has ended; all else is answered whole",
    schema: { type: "string" },
    example: "bytes=0-1023",
  },
  "If-Range": {
    in: "header",
    description: "the ETag that the text must still have for its range to be answered",
    schema: { type: "string" },
    example: '"5f0c-stdout-18"',
  },
  "If-None-Match": {
    in: "header",
    description: "the ETag of a text that is known: 304 where it is still the same",
    schema: { type: "string" },
    example: '"5f0c-stdout-18"',
  },
  stream: {
    in: "query",
    description:
      "one stream alone: stdout, stderr, or pull for how the pull of the image went on, which is in no other text; as ndjson it may be given several times",
    schema: { type: "string", enum: [...LOG_STREAMS] },
    example: "pull",
  },
  streams: {
    name: "stream",
    in: "query",
    description:
      "stdout, stderr, or pull for how the pull of the image went on; may be repeated, stdout and stderr when absent",
    schema: { type: "string", enum: [...LOG_STREAMS] },
    example: "stdout",
  },
  after: {
    in: "query",
    description: "the number of the frame behind which to begin, where frames have numbers",
    schema: wholeNumber(0, Number.MAX_SAFE_INTEGER),
    example: 0,
  },
  exact: {
    in: "query",
    description:
      "whether frames that are not UTF-8 by themselves have their bytes in base64, in place of data",
    schema: { type: "boolean" },
    example: true,
  },
  follow: {
    in: "query",
    description: "whether to go on with what is written, until the execution has ended",
    schema: { type: "boolean" },
    example: true,
  },
  "Idempotency-Key": {
    in: "header",
    description:
      "the same key within 24 hours gives the first answer again and enqueues nothing; as idempotencyKey of the payload",
    schema: { type: "string", minLength: 1, maxLength: 200 },
    example: "report-2026-03-29",
  },
  "Last-Event-ID": {
    in: "header",
    description: "the id of the last event that came, as browsers send it; goes before after",
    schema: { type: "string", pattern: "^(\\d+|done)$" },
    example: "0",
  },
  "X-Request-ID": {
    in: "header",
    description: "names the request in the service's log; one is made when it is absent",
    schema: { type: "string", pattern: "^[\\w.:/+=@-]{1,200}$" },
    example: "req-8f2c",
  },
} as const satisfies Record<string, Parameter>;

export const PARAMETERS = {
  ...PATH,
  ...LISTS,
  ...FILTER,
  ...ASKING,
  ...AUDIT_PARAMETERS,
} satisfies Record<string, Parameter>;
export type ParameterName = keyof typeof PARAMETERS;
