import * as v from "valibot";
import { ROLES } from "../core/actor.ts";
import { parseLongDuration } from "../core/duration.ts";
import { AppError } from "../core/errors.ts";
import { Time } from "./answer-parts.ts";
import { exactObject, oneOf, shortText } from "./limits.ts";
import { sentence, toIssue } from "./parse.ts";
import { isObject } from "./text.ts";

/** "." and ".." are no part of a URL's path, so nobody could revoke it by one. */
const NAME = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/;
const LONGEST_DAYS = 3_650;
const CANNOT = "Cannot make the token";

const Lifetime = v.pipe(
  v.string("must be a string"),
  v.check((text) => {
    const ms = parseLongDuration(text);
    return ms !== null && ms >= 1_000 && ms <= LONGEST_DAYS * 86_400_000;
  }, `must be a duration such as 90d, 12h or 1d12h, from 1s to ${LONGEST_DAYS}d`),
);

export const TokenBody = exactObject({
  name: v.pipe(
    v.string("must be a string"),
    v.regex(
      NAME,
      'must have 1 to 100 letters, digits, ".", "_" or "-", and be neither "." nor ".."',
    ),
    v.description("unique among live tokens"),
  ),
  role: v.pipe(oneOf(...ROLES), v.description("what it may do, each role with all before it")),
  taskMatch: v.nullish(
    v.pipe(
      shortText(1_000),
      v.description(
        "a regular expression, as Postgres reads it, on the ids of the tasks that it is for; all when absent. Only for a viewer or a submitter",
      ),
    ),
  ),
  expiresIn: v.nullish(
    v.pipe(Lifetime, v.description("how long it counts, such as 90d or 12h; for ever when absent")),
  ),
});

/** What is wanted of a token that is to be made. */
export interface TokenWish {
  name: string;
  role: (typeof ROLES)[number];
  taskMatch: string | null;
  /** `null` is for ever. */
  lastsMs: number | null;
}

export const isTokenName = (text: string) => NAME.test(text);

/** @throws {AppError} `payload_invalid`, with every wrong key named. */
export function checkToken(value: unknown): TokenWish {
  const missing = ["name", "role"].filter((key) => isObject(value) && value[key] === undefined);
  const result = v.safeParse(TokenBody, value);
  const issues = (result.issues ?? []).map(toIssue).map(({ path, message }) => ({
    path,
    message: missing.includes(path) ? "must be given" : message,
  }));
  if (result.success && result.output.taskMatch != null && !mayHaveTasks(result.output.role)) {
    issues.push({
      path: "taskMatch",
      message: `is not for the role ${result.output.role}: hosts, and many executions at once, belong to all tasks; only a viewer or a submitter can be for some`,
    });
  }
  if (!result.success || issues.length > 0) {
    throw new AppError("payload_invalid", sentence(CANNOT, issues), { issues });
  }
  const { name, role, taskMatch = null, expiresIn } = result.output;
  return { name, role, taskMatch, lastsMs: expiresIn == null ? null : lengthOf(expiresIn) };
}

const mayHaveTasks = (role: string) => role === "viewer" || role === "submitter";
const lengthOf = (text: string) => parseLongDuration(text);

const VIEW = {
  id: v.pipe(v.string(), v.description("the part of the token behind fl_, which is no secret")),
  name: v.string(),
  role: v.picklist(ROLES),
  taskMatch: v.nullable(v.string()),
  createdAt: Time,
  createdBy: v.pipe(v.string(), v.description("who made it: token NAME, basic NAME, or anonymous")),
  expiresAt: v.nullable(Time),
  lastUsedAt: v.pipe(v.nullable(Time), v.description("to the minute")),
  revokedAt: v.nullable(Time),
};

export const TokenAnswer = v.strictObject(VIEW);
export type TokenView = v.InferOutput<typeof TokenAnswer>;

export const MadeTokenAnswer = v.strictObject({
  ...VIEW,
  token: v.pipe(v.string(), v.description("the token itself, shown this once")),
});
export type MadeToken = v.InferOutput<typeof MadeTokenAnswer>;

export const TokensAnswer = v.strictObject({ items: v.array(TokenAnswer) });

export const WhoamiAnswer = v.strictObject({
  kind: v.picklist(["token", "basic", "anonymous"]),
  name: v.nullable(v.string()),
  role: v.picklist(ROLES),
  taskMatch: v.nullable(v.string()),
  expiresAt: v.nullable(Time),
});
