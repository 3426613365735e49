import * as v from "valibot";
import { AppError } from "../core/errors.ts";
import { exactObject, shortText } from "./limits.ts";
import { Moment } from "./moment.ts";
import { parseJsonBody, sentence, toIssue } from "./parse.ts";
import { isObject } from "./text.ts";

const host = v.pipe(
  shortText(1_000),
  v.description("a host string of the configuration, or name:port"),
);

export const BlacklistBody = exactObject({ host });

export const DrainBody = exactObject({
  host,
  deadline: v.nullish(
    v.pipe(
      Moment,
      v.description("when what still runs there is stopped; null for never, as it was when absent"),
    ),
  ),
});

/** @throws {AppError} `body_unreadable` or `payload_invalid`. */
export function parseBlacklistBody(body: string) {
  return parsed(BlacklistBody, body, "Cannot change the blacklist");
}

/** @throws {AppError} `body_unreadable` or `payload_invalid`. */
export function parseDrainBody(body: string) {
  return parsed(DrainBody, body, "Cannot drain the host");
}

function parsed<Schema extends typeof BlacklistBody | typeof DrainBody>(
  schema: Schema,
  body: string,
  cannot: string,
): v.InferOutput<Schema> {
  const value = parseJsonBody(body);
  if (isObject(value) && value["host"] === undefined) {
    const message = "must be given";
    throw new AppError("payload_invalid", `${cannot}: "host" ${message}`, {
      issues: [{ path: "host", message }],
    });
  }
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const issues = result.issues.map(toIssue);
  throw new AppError("payload_invalid", sentence(cannot, issues), { issues });
}
