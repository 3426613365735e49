import * as v from "valibot";
import { AppError, type Issue } from "../core/errors.ts";
import { JobPayload } from "./job-payload.ts";
import { isObject, jsonDepth } from "./text.ts";

const MAX_DEPTH = 32;
const MAX_ISSUES = 20;
const MAX_KEY_SHOWN = 100;

const UNPARSABLE = "Failed to enqueue task because JSON body could not be parsed.";
const NO_IMAGE_OR_COMMAND = "image and command must be filled in the request.";

/**
 * Reads the body of an enqueue request.
 *
 * @throws {AppError} `body_unreadable` or `payload_invalid`, with every wrong place named.
 */
export function parseJobPayload(body: string): JobPayload {
  const value = parseJson(body);
  if (!isObject(value)) throw new AppError("body_unreadable", UNPARSABLE);
  const result = v.safeParse(JobPayload, value);
  const unknown = Object.keys(value).filter((key) => !Object.hasOwn(JobPayload.entries, key));
  if (result.success && unknown.length === 0) return result.output;
  const issues = [
    ...unknown.map((key) => ({ path: shown(key), message: "is not a known key" })),
    ...(result.issues ?? []).map(toIssue),
  ].slice(0, MAX_ISSUES);
  const lacksBasics = issues.some(({ message }) => message === NO_IMAGE_OR_COMMAND);
  throw new AppError("payload_invalid", lacksBasics ? NO_IMAGE_OR_COMMAND : sentence(issues), {
    issues,
  });
}

/** Task ids name a URL's part and a container's label: 1 to 200 characters, none of them special. */
export function parseTaskId(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  const hasSpecial = /[\u0000-\u001f\u007f-\u009f/]/.test(text);
  const length = [...text].length;
  if (length < 1 || length > 200 || hasSpecial || !text.isWellFormed()) {
    throw new AppError(
      "task_id_invalid",
      'A task id has 1 to 200 characters, without "/" and control characters',
    );
  }
  return text;
}

function parseJson(body: string): unknown {
  // Deep nesting parses, but cannot be written out again: refuse it before it is stored.
  if (jsonDepth(body) > MAX_DEPTH) {
    throw new AppError(
      "payload_invalid",
      `Cannot enqueue: the JSON is deeper than ${MAX_DEPTH} levels`,
      { issues: [{ path: "", message: `must have at most ${MAX_DEPTH} levels` }] },
    );
  }
  try {
    return JSON.parse(body);
  } catch {
    throw new AppError("body_unreadable", UNPARSABLE);
  }
}

function toIssue(issue: v.BaseIssue<unknown>): Issue {
  const path = (issue.path ?? []).map(({ key }) => shown(String(key))).join(".");
  const isMissing = issue.type === "object" && issue.path?.length === 1;
  if (isMissing) return { path, message: NO_IMAGE_OR_COMMAND };
  return { path, message: issue.message };
}

/** A key as it may stand in an answer: whoever sends a long one knows its beginning. */
const shown = (key: string) =>
  key.length > MAX_KEY_SHOWN ? `${key.slice(0, MAX_KEY_SHOWN)}...` : key;

function sentence(issues: readonly Issue[]): string {
  const parts = issues.map(({ path, message }) => (path === "" ? message : `"${path}" ${message}`));
  return `Cannot enqueue: ${parts.join("; ")}`;
}
