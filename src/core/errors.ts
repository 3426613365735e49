/** Every way in which a request can be refused, with its HTTP status. */
export const ERROR_STATUS = {
  body_unreadable: 400,
  payload_invalid: 400,
  task_id_invalid: 400,
  job_id_invalid: 400,
  no_pool: 400,
  host_unknown: 400,
  query_invalid: 400,
  nothing_to_retry: 400,
  job_is_scheduled: 400,
  not_authenticated: 401,
  payload_not_allowed: 403,
  host_not_ours: 403,
  origin_not_ours: 403,
  not_allowed: 403,
  task_not_found: 404,
  job_not_found: 404,
  execution_not_found: 404,
  delivery_not_found: 404,
  token_not_found: 404,
  route_not_found: 404,
  method_not_allowed: 405,
  job_of_another_task: 409,
  job_sealed_shut: 409,
  idempotency_key_taken: 409,
  token_name_taken: 409,
  body_too_large: 413,
  range_not_satisfiable: 416,
  not_a_socket: 426,
  too_many_failures: 429,
  database_unavailable: 503,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

/** One wrong place in a payload: its keys' path, never the value that was sent. */
export interface Issue {
  path: string;
  message: string;
}

/** An error that is meant for the user: its message is shown as it stands. */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;
  readonly issues: Issue[] | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { issues?: Issue[]; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.issues = options.issues;
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // drizzle's own message quotes the parameters of the statement, which may be a user's secrets.
  return "params" in error && error.cause !== undefined ? messageOf(error.cause) : error.message;
}

/**
 * What the service's log may tell of a bug: the stack of what went wrong first. The errors around
 * it may quote a statement's parameters, and those a user's secrets.
 */
export function stackOf(error: unknown): string {
  let first = error;
  for (let depth = 0; first instanceof Error && first.cause !== undefined && depth < 5; depth++) {
    first = first.cause;
  }
  return first instanceof Error ? (first.stack ?? first.message) : String(first);
}
