import type { Hono } from "hono";
import { type ClientResponse, hc } from "hono/client";
import type { BlankEnv } from "hono/types";
import type * as schema from "./schema.ts";

/** All routes that answer with JSON or with text, as their handlers are typed. */
export type FastlaneApi = Hono<
  BlankEnv,
  typeof schema.enqueue &
    typeof schema.tasks &
    typeof schema.jobs &
    typeof schema.executions &
    typeof schema.events &
    typeof schema.deliveries &
    typeof schema.many &
    typeof schema.hosts &
    typeof schema.audit &
    typeof schema.tokens &
    typeof schema.service,
  "/"
>;

/** The routes by their paths, as hono's `hc` gives them. */
export type Fastlane = ReturnType<typeof hc<FastlaneApi>>;

export interface FastlaneOptions {
  /** A token of fastlane; none where nobody is asked who they are. */
  token?: string;
  /** Headers of each request, over the token's. */
  headers?: Record<string, string>;
  /** In place of the global one: for a proxy, a time limit, a test. */
  fetch?: typeof fetch;
}

/** A request that fastlane refused. */
export class FastlaneError extends Error {
  override readonly name = "FastlaneError";
  /** Of the answer. */
  readonly status: number;
  /** What was wrong in a payload, by the path of its keys. */
  readonly issues: readonly { path: string; message: string }[];

  constructor(status: number, message: string, issues: FastlaneError["issues"] = []) {
    super(message);
    this.status = status;
    this.issues = issues;
  }
}

/**
 * The routes of one fastlane, by their paths. What stands in a path is sent as it is: a task id that
 * may have other characters than letters, digits, ".", "_", "~" and "-" has to be percent-encoded.
 *
 * @param url Of the server, such as `http://127.0.0.1:10000`.
 */
export function createFastlane(url: string, options: FastlaneOptions = {}): Fastlane {
  const { token, headers } = options;
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return hc<FastlaneApi>(url, {
    headers: { ...authorization, ...headers },
    ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
  });
}

/**
 * The JSON of a good answer.
 *
 * @throws {FastlaneError} With the sentence that fastlane gives, when it refuses.
 */
export async function answerOf<Answer, Status extends number>(
  request: Promise<ClientResponse<Answer, Status, "json">>,
): Promise<Answer> {
  const response = await request;
  if (response.ok) return (await response.json()) as Answer;
  const text = await response.text();
  try {
    const { error, issues } = JSON.parse(text);
    if (typeof error === "string") throw new FastlaneError(response.status, error, issues);
  } catch (error) {
    if (error instanceof FastlaneError) throw error;
  }
  // What stands between, such as a proxy, answers in its own way.
  throw new FastlaneError(response.status, `${response.url} answered with ${response.status}`);
}
