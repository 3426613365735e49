import { ERROR_STATUS, type ErrorCode } from "../../core/errors.ts";

/** Why a request is refused; `bug` is the service's own fault, and has no code. */
export type Refusal = ErrorCode | "bug";

interface Words {
  /** The end of "when ...". */
  when: string;
  /** What the answer may say. */
  example: string;
}

const WORDS: Record<Refusal, Words> = {
  body_unreadable: {
    when: "the body is no JSON of the right form",
    example: "Failed to enqueue task because JSON body could not be parsed.",
  },
  payload_invalid: {
    when: "a key of the body is unknown, missing or wrong: issues names each",
    example: 'Cannot enqueue: "retries" must be a whole number from 0 to 100',
  },
  payload_not_allowed: {
    when: "the job asks for what the policy of its pool does not allow: issues names each rule",
    example: 'Cannot enqueue: "workdir" is not allowed by allow.workdir of pool ""',
  },
  task_id_invalid: {
    when: "the task id is empty, longer than 200 characters or has special ones",
    example: 'A task id has 1 to 200 characters, without "/" and control characters',
  },
  job_id_invalid: {
    when: "the id of the job is no UUID",
    example: '"first" is no UUID: the id of a job must be one',
  },
  no_pool: {
    when: "no pool of the configuration is for this task",
    example: 'Cannot enqueue: no pool of dockerHosts matches task "nightly-report"',
  },
  host_unknown: {
    when: "the host is none of the configuration",
    example:
      'No host "10.0.0.9:2375" is configured: the hosts are tcp://10.0.0.7:2375, unix:///var/run/docker.sock',
  },
  query_invalid: {
    when: "a key of the query, or a header, is wrong",
    example: '"page" must be a whole number from 1 to 1000000',
  },
  nothing_to_retry: {
    when: "the job has no execution yet",
    example: "No execution yet to retry.",
  },
  job_is_scheduled: {
    when: "the job has a schedule that goes on",
    example: "Can't retry a scheduled job.",
  },
  not_authenticated: {
    when: "the service asks for a token, or a user name and a password, and none that is right came",
    example: "This fastlane asks for a token, or a user name and a password",
  },
  host_not_ours: {
    when: "the Host header is a name that the service does not know for its own",
    example: "Cannot answer under this name: publicUrl of the configuration does not have it",
  },
  origin_not_ours: {
    when: "a web page of another origin asks",
    example: "Cannot act for a web page of another origin",
  },
  not_allowed: {
    when: "the role of whoever asks does not have it, or the token is not for the task",
    example: "This needs the role operator: the role given is submitter",
  },
  too_many_failures: {
    when: "wrong credentials came from the address again and again: Retry-After says how long it is not listened to",
    example: "Too many wrong credentials came from this address: try again in 8 s",
  },
  task_not_found: { when: "there is no such task", example: 'There is no task "nightly-report"' },
  job_not_found: {
    when: "the task has no such job",
    example: 'Task "nightly-report" has no job "5a023792-1445-44e9-8a8b-cfe5ad05d1c6"',
  },
  execution_not_found: {
    when: "the job has no such execution, or none yet",
    example: 'Job "5a023792-1445-44e9-8a8b-cfe5ad05d1c6" has no execution yet',
  },
  delivery_not_found: {
    when: "the execution has no such delivery",
    example: 'The execution has no delivery "0a6b1f0e-5a0c-4d8f-9b64-0f8c3fb9f3f5"',
  },
  token_not_found: {
    when: "no live token has the name",
    example: 'There is no live token "ci"',
  },
  route_not_found: {
    when: "there is nothing at the URL",
    example: "There is nothing at this URL",
  },
  method_not_allowed: {
    when: "the URL takes other methods: the Allow header names them",
    example: "DELETE is not allowed at this URL, only GET, HEAD, OPTIONS",
  },
  range_not_satisfiable: {
    when: "the Range header asks for nothing that is there: Content-Range has the size",
    example: '"Range" asks for nothing that is there: the text has 18 bytes',
  },
  not_a_socket: {
    when: "the URL is a WebSocket, and is asked for as something else",
    example: "This URL is a WebSocket: connect to it by ws: or wss:",
  },
  job_of_another_task: {
    when: "another task has a job with this id",
    example: 'Job "5a023792-1445-44e9-8a8b-cfe5ad05d1c6" is there, in another task',
  },
  job_sealed_shut: {
    when: "what is secret of a job was sealed by a key that is not here",
    example:
      'Cannot export job "5a023792-1445-44e9-8a8b-cfe5ad05d1c6" of task "nightly": what is secret of it cannot be read, it is sealed by key "q3Xw0_aB", which is not here',
  },
  idempotency_key_taken: {
    when: "the idempotency key came with another request before",
    example: 'Cannot enqueue: the idempotency key "report-2030" came with another request before',
  },
  token_name_taken: {
    when: "a live token has the name",
    example: 'Cannot make the token: one named "ci" is live; revoke it, or take another name',
  },
  body_too_large: {
    when: "the body is larger than 1 MiB",
    example: "The body must have at most 1048576 bytes",
  },
  database_unavailable: {
    when: "Postgres cannot be reached just now: ask again in a moment",
    example:
      "Postgres cannot be reached just now: ask again in a moment. Whether a change that was asked for has been made is not certain",
  },
  bug: {
    when: "fastlane itself is at fault: its log tells why, under the X-Request-ID of the answer",
    example: "fastlane failed to answer this request: its log tells why",
  },
};

export interface ErrorResponse {
  status: number;
  description: string;
  example: { error: string; operation: string; issues?: { path: string; message: string }[] };
}

/** What an operation answers where it refuses: one answer for each status. */
export function errorResponses(operation: string, refusals: readonly Refusal[]): ErrorResponse[] {
  const byStatus = Map.groupBy(refusals, (refusal) =>
    refusal === "bug" ? 500 : ERROR_STATUS[refusal],
  );
  return [...byStatus]
    .sort(([left], [right]) => left - right)
    .map(([status, causes]) => ({
      status,
      description: sentenceOf(causes),
      example: exampleOf(operation, causes),
    }));
}

function sentenceOf(refusals: readonly Refusal[]): string {
  return `When ${refusals.map((refusal) => WORDS[refusal].when).join("; or ")}`;
}

/** Of the first cause, except that a wrong payload says the most. */
function exampleOf(name: string, refusals: readonly Refusal[]): ErrorResponse["example"] {
  const isPayload = refusals.includes("payload_invalid");
  const cause = isPayload ? "payload_invalid" : (refusals[0] ?? "bug");
  const error = WORDS[cause].example;
  // Who asks is found out before what is asked for.
  const operation = ["host_not_ours", "not_authenticated", "too_many_failures"].includes(cause)
    ? "route"
    : name;
  if (!isPayload) return { error, operation };
  const [, path = "", message = ""] = /: "(\w+)" (.*)$/.exec(error) ?? [];
  return { error, operation, issues: [{ path, message }] };
}
