/** Every way in which a request can be refused, with its HTTP status. */
export const ERROR_STATUS = {
  body_unreadable: 400,
  payload_invalid: 400,
  task_id_invalid: 400,
  no_pool: 400,
  page_invalid: 400,
  host_not_ours: 403,
  origin_not_ours: 403,
  task_not_found: 404,
  job_not_found: 404,
  execution_not_found: 404,
  route_not_found: 404,
  method_not_allowed: 405,
  body_too_large: 413,
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
  return error instanceof Error ? error.message : String(error);
}
