import * as v from "valibot";
import { fetchThrough } from "#fetch";
import { ClientError } from "./client-error.ts";
import { notFastlane, refusalOf } from "./refusals.ts";
import { urlBehind } from "./server-url.ts";
import { unreachable } from "./unreachable.ts";

type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;
type Method = "POST" | "PUT" | "DELETE";

interface OpenOptions {
  signal?: AbortSignal;
  headers?: Readonly<Record<string, string>>;
  query?: Query;
}

/** Speaks HTTP with one fastlane. Whatever fails is a `ClientError`. */
export interface Client {
  /** Of the server, without credentials and without a slash at its end. */
  readonly url: string;
  /**
   * The JSON of an answer.
   *
   * @param path Behind the server's URL (`/tasks/`), or a URL of an answer.
   */
  get(path: string, query?: Query): Promise<unknown>;
  send(
    method: Method,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<unknown>;
  /** A good answer whose body the caller reads; it may last as long as it likes. */
  open(path: string, options?: OpenOptions): Promise<Response>;
}

export interface ClientOptions {
  /** As `parseServerUrl` gives it. */
  url: string;
  /** The value of the `Authorization` header. */
  authorization: string | null;
  /** Certificates of authorities in PEM, in place of those that are built in. */
  ca: string | null;
  proxyFor(url: URL): string | null;
  version: string;
}

/** An enqueue may wait for its execution for a minute. */
const ANSWER_MS = 90_000;

export function createClient(options: ClientOptions): Client {
  const { url: server, authorization, ca } = options;
  const ask = async (method: string, path: string, init: OpenOptions, body?: unknown) => {
    const url = urlBehind(server, path);
    addQuery(url, init.query ?? {});
    const proxy = options.proxyFor(url);
    const request = {
      method,
      headers: {
        accept: "application/json",
        "user-agent": `fastlane/${options.version}`,
        ...(authorization === null ? {} : { authorization }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...init.headers,
      },
      redirect: "manual" as const,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(init.signal === undefined ? {} : { signal: init.signal }),
    };
    try {
      const response = await fetchThrough(url, request, { proxy, ca });
      return response.ok ? response : await refusalOf(server, response);
    } catch (error) {
      if (init.signal?.aborted === true && !isLate(error)) throw error;
      throw unreachable(server, proxy, error);
    }
  };
  const open = async (method: string, path: string, init: OpenOptions, body?: unknown) => {
    const answer = await ask(method, path, init, body);
    if (answer instanceof ClientError) throw answer;
    return answer;
  };
  const json = async (method: string, path: string, init: OpenOptions, body?: unknown) => {
    const signal = AbortSignal.timeout(ANSWER_MS);
    const response = await open(method, path, { ...init, signal }, body);
    const text = await response.text().catch((error: unknown) => {
      throw unreachable(server, null, error);
    });
    try {
      return JSON.parse(text) as unknown;
    } catch {
      throw new ClientError(`${notFastlane(server)}: its answer is no JSON`);
    }
  };
  return {
    url: server,
    get: (path, query = {}) => json("GET", path, { query }),
    send: (method, path, body, headers = {}) => json(method, path, { headers }, body),
    open: (path, init = {}) => open("GET", path, init),
  };
}

/**
 * An answer as the caller needs it. What it needs must be there; what else there is, is passed over.
 *
 * @throws {ClientError} When it is not there.
 */
export function read<Schema extends v.GenericSchema>(
  client: Pick<Client, "url">,
  schema: Schema,
  answer: unknown,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, answer);
  if (result.success) return result.output;
  const key = (result.issues[0]?.path ?? []).map((part) => String(part.key)).join(".");
  const where = key === "" ? "" : `: "${key}" of its answer is not as it should be`;
  throw new ClientError(`${client.url} does not speak fastlane's contract${where}`);
}

function addQuery(url: URL, query: Query): void {
  for (const [key, value] of Object.entries(query)) {
    const values = Array.isArray(value) ? value : [value];
    for (const each of values) if (each !== undefined) url.searchParams.append(key, String(each));
  }
}

const isLate = (error: unknown) => error instanceof Error && error.name === "TimeoutError";
