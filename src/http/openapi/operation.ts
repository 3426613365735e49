import type { Refusal } from "./errors.ts";
import type { ParameterName } from "./parameters.ts";
import type { AnswerName, RequestName } from "./schemas.ts";

export type Method = "get" | "post" | "put" | "delete";

export const TAGS = {
  Tasks: "A task is a name under which jobs are kept; the first job makes it.",
  Jobs: "A job is an image and a command, with what is to be done about them and when.",
  Executions: "An execution is one run of a job: one container, its log and its end.",
  "Many executions": "Executions of all tasks at once: listed, stopped and retried.",
  Hosts: "A host is one Docker endpoint, on which executions run.",
  Tokens: "A token says who asks, and what they may do.",
  Service: "How fastlane itself is.",
} as const;
export type Tag = keyof typeof TAGS;

/** One route of the API, as it is documented. */
export interface Operation {
  /** The name under which errors tell of it. */
  id: string;
  method: Method;
  /** With the slash at its end, as answers spell it; it is served without, too. */
  path: string;
  tag: Tag;
  summary: string;
  description: string;
  parameters: readonly ParameterName[];
  request?: { schema: RequestName; examples: Record<string, RequestExample> };
  answers: readonly Answer[];
  refusals: readonly Refusal[];
  /** Whether it answers without the password, where one is asked for. */
  isOpen?: true;
}

interface RequestExample {
  summary: string;
  value: unknown;
}

/** An answer that is no refusal; JSON where it has a schema. */
export interface Answer {
  status: number;
  description: string;
  schema?: AnswerName;
  /** What it is where it is no JSON: plain text when absent; `null` where it has no body. */
  type?: "text/plain" | "text/html" | "text/event-stream" | null;
  example?: unknown;
  /** Of a text, besides what every answer has. */
  headers?: readonly HeaderName[];
  /** The same in another form. */
  ndjson?: string;
}

/** What headers of answers are documented, besides the request's id. */
export type HeaderName =
  | "Fastlane-Exit-Code"
  | "Accept-Ranges"
  | "Content-Range"
  | "ETag"
  | "WWW-Authenticate"
  | "Retry-After";

/** What may befall every request, whatever it asks for. */
export const ALWAYS = [
  "not_authenticated",
  "too_many_failures",
  "host_not_ours",
  "not_allowed",
  "database_unavailable",
  "bug",
] as const;
/** What may befall a request that changes something. */
export const CHANGING = [...ALWAYS, "origin_not_ours"] as const;
/** What may befall a request with a body. */
export const WITH_BODY = [
  ...CHANGING,
  "body_unreadable",
  "payload_invalid",
  "body_too_large",
] as const;
