import * as v from "valibot";
import { AppError, type Issue } from "../core/errors.ts";
import { JobPayload, NO_IMAGE_OR_COMMAND } from "./job-payload.ts";
import { ONE_SCHEDULE, scheduleFault } from "./schedule.ts";
import { isObject, jsonDepth } from "./text.ts";

const MAX_DEPTH = 32;
const MAX_ISSUES = 20;
const MAX_KEY_SHOWN = 100;

const UNPARSABLE = "Failed to enqueue task because JSON body could not be parsed.";
const CANNOT = "Cannot enqueue";
const MAX_BULK = 1_000;
/** Sentences of the reference: where one of them fits, it is the whole error. */
const WHOLE_SENTENCES = [NO_IMAGE_OR_COMMAND, ONE_SCHEDULE];

/**
 * Reads the body of an enqueue request.
 *
 * @throws {AppError} `body_unreadable` or `payload_invalid`, with every wrong place named.
 */
export function parseJobPayload(body: string): JobPayload {
  const value = parseJsonBody(body, UNPARSABLE);
  if (!isObject(value)) throw new AppError("body_unreadable", UNPARSABLE);
  const { payload, issues } = checkPayload(value);
  if (payload === null) throw invalid(issues);
  return payload;
}

/**
 * Reads the body of a bulk request: up to 1,000 payloads, all good or none taken.
 *
 * @throws {AppError} As for one payload; the paths of the issues begin with the payload's index.
 */
export function parseBulkPayload(body: string): JobPayload[] {
  const values = parseJsonBody(body, UNPARSABLE);
  if (!Array.isArray(values)) throw new AppError("body_unreadable", UNPARSABLE);
  if (values.length < 1 || values.length > MAX_BULK) {
    const message = `must have 1 to ${MAX_BULK} payloads`;
    throw new AppError("payload_invalid", `Cannot enqueue: the list ${message}`, {
      issues: [{ path: "", message }],
    });
  }
  const checked = values.map((value: unknown, index) => {
    const { payload, issues } = isObject(value)
      ? checkPayload(value)
      : { payload: null, issues: [{ path: "", message: "must be an object" }] };
    const at = (path: string) => (path === "" ? `${index}` : `${index}.${path}`);
    return { payload, issues: issues.map(({ path, message }) => ({ path: at(path), message })) };
  });
  const issues = checked.flatMap((each) => each.issues);
  if (issues.length > 0) {
    throw new AppError("payload_invalid", sentence(CANNOT, issues), { issues });
  }
  return checked.flatMap(({ payload }) => payload ?? []);
}

export function checkPayload(
  value: Record<string, unknown>,
): { payload: JobPayload; issues: [] } | { payload: null; issues: Issue[] } {
  const result = v.safeParse(JobPayload, value);
  const unknown = Object.keys(value).filter((key) => !Object.hasOwn(JobPayload.entries, key));
  const together = result.success ? faultsOfPairs(result.output) : [];
  if (result.success && unknown.length === 0 && together.length === 0) {
    return { payload: result.output, issues: [] };
  }
  const issues = [
    ...unknown.map((key) => ({ path: shown(key), message: "is not a known key" })),
    ...(result.issues ?? []).map(toIssue),
    ...together,
  ];
  return { payload: null, issues: issues.slice(0, MAX_ISSUES) };
}

/** What is wrong with keys that are each right alone. */
function faultsOfPairs(payload: JobPayload): Issue[] {
  const schedule = scheduleFault(payload);
  const { concurrencyKey, concurrencyLimit, backoff } = payload;
  const { minMs = 0, maxMs = Number.POSITIVE_INFINITY } = backoff;
  return [
    ...(schedule === null ? [] : [{ path: schedule.key, message: schedule.message }]),
    ...(concurrencyLimit !== undefined && concurrencyKey === undefined
      ? [{ path: "concurrencyLimit", message: "must come with concurrencyKey" }]
      : []),
    ...(minMs > maxMs ? [{ path: "backoff.maxMs", message: "must not be below minMs" }] : []),
  ];
}

function invalid(issues: readonly Issue[]): AppError {
  const whole = WHOLE_SENTENCES.find((text) => issues.some(({ message }) => message === text));
  return new AppError("payload_invalid", whole ?? sentence(CANNOT, issues), {
    issues: [...issues],
  });
}

/** Task ids name a URL's part and a container's label: 1 to 200 characters, none of them special. */
export function isTaskId(text: string): boolean {
  const length = [...text].length;
  return length >= 1 && length <= 200 && !/[\p{Cc}/]/u.test(text) && text.isWellFormed();
}

export function parseTaskId(text: string): string {
  if (isTaskId(text)) return text;
  throw new AppError(
    "task_id_invalid",
    'A task id has 1 to 200 characters, without "/" and control characters',
  );
}

/** @param unparsable What is said of a body that is no JSON. */
export function parseJsonBody(
  body: string,
  unparsable = "The JSON body could not be parsed.",
): unknown {
  // Deep nesting parses, but cannot be written out again: refuse it before it is stored.
  if (jsonDepth(body) > MAX_DEPTH) {
    throw new AppError(
      "payload_invalid",
      `Cannot read the body: the JSON is deeper than ${MAX_DEPTH} levels`,
      { issues: [{ path: "", message: `must have at most ${MAX_DEPTH} levels` }] },
    );
  }
  try {
    return JSON.parse(body);
  } catch {
    throw new AppError("body_unreadable", unparsable);
  }
}

export function toIssue(issue: v.BaseIssue<unknown>): Issue {
  const path = (issue.path ?? []).map(({ key }) => shown(String(key))).join(".");
  const isMissing = issue.type === "object" && issue.path?.length === 1;
  const isNull = issue.input === null && (path === "image" || path === "command");
  if (isMissing || isNull) return { path, message: NO_IMAGE_OR_COMMAND };
  return { path, message: issue.message };
}

/** A key as it may stand in an answer: whoever sends a long one knows its beginning. */
const shown = (key: string) =>
  key.length > MAX_KEY_SHOWN ? `${key.slice(0, MAX_KEY_SHOWN)}...` : key;

/** All that is wrong in one sentence, behind what cannot be done for it. */
export function sentence(cannot: string, issues: readonly Issue[]): string {
  const parts = issues
    .slice(0, MAX_ISSUES)
    .map(({ path, message }) => (path === "" ? message : `"${path}" ${message}`));
  return `${cannot}: ${parts.join("; ")}`;
}
