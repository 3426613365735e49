import * as v from "valibot";
import { AppError } from "../core/errors.ts";
import { STATUSES } from "../core/status.ts";
import { exactObject, oneOf, shortText } from "./limits.ts";
import { Moment } from "./moment.ts";
import { parseJsonBody, sentence, toIssue } from "./parse.ts";

const StatusName = oneOf(...STATUSES);

/** Which executions are to be stopped or retried: at least one key that narrows. */
export const FilterBody = exactObject({
  task: v.optional(v.pipe(shortText(400), v.description("task id"))),
  status: v.optional(
    v.pipe(
      v.union(
        [v.pipe(v.array(StatusName), v.minLength(1), v.maxLength(STATUSES.length)), StatusName],
        `must be one or a list of ${STATUSES.join(", ")}`,
      ),
      v.description("one or several"),
    ),
  ),
  host: v.optional(v.pipe(shortText(1_000), v.description("host string, or name:port"))),
  since: v.optional(v.pipe(Moment, v.description("created at or after"))),
  until: v.optional(v.pipe(Moment, v.description("created before"))),
  cursor: v.optional(v.pipe(shortText(200), v.description("nextCursor of the last answer"))),
  dryRun: v.optional(v.pipe(v.boolean("must be true or false"), v.description("only tell which"))),
});

/**
 * Reads the body of a request about many executions.
 *
 * @throws {AppError} `body_unreadable` or `payload_invalid`; also when nothing narrows: that would
 *   be about everything.
 */
export function parseFilterBody(body: string) {
  const result = v.safeParse(FilterBody, parseJsonBody(body));
  if (!result.success) {
    const issues = result.issues.map(toIssue);
    throw new AppError("payload_invalid", sentence("Cannot choose executions", issues), { issues });
  }
  const { status, dryRun, cursor, ...filter } = result.output;
  if (status === undefined && Object.keys(filter).length === 0) {
    const message = "must have at least one of task, status, host, since and until";
    throw new AppError("payload_invalid", `Cannot choose executions: the body ${message}`, {
      issues: [{ path: "", message }],
    });
  }
  const statuses = typeof status === "string" ? [status] : status;
  return { ...filter, statuses, dryRun, cursor };
}
