import { AppError, ERROR_STATUS, stackOf } from "../core/errors.ts";
import { isDatabaseDown } from "../store/faults.ts";
import type { HttpContext, HttpDeps } from "./context.ts";

const DATABASE_DOWN =
  "Postgres cannot be reached just now: ask again in a moment. Whether a change that was asked for has been made is not certain";

/** The one place where an error becomes an answer. Anything unexpected is a bug: it tells nothing. */
export function answerError(deps: Pick<HttpDeps, "log">, error: unknown, c: HttpContext): Response {
  const operation = c.get("operation") ?? "route";
  if (error instanceof AppError) {
    const issues = error.issues === undefined ? {} : { issues: error.issues };
    return c.json({ error: error.message, operation, ...issues }, ERROR_STATUS[error.code]);
  }
  if (isDatabaseDown(error)) {
    return c.json({ error: DATABASE_DOWN, operation }, 503, { "retry-after": "1" });
  }
  const { method, path } = c.req;
  const requestId = c.get("requestId");
  deps.log.error({ requestId, method, path, operation, error: stackOf(error) }, "bug");
  return c.json(
    { error: "fastlane failed to answer this request: its log tells why", operation },
    500,
  );
}
