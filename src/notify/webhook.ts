import { retryAfterSeconds, statusWords } from "./webhook-answer.ts";
import {
  type Destination,
  destinationOf,
  type Resolve,
  resolveBySystem,
} from "./webhook-destination.ts";
import { exchange } from "./webhook-exchange.ts";
import { faultWords, type Named, Refused } from "./webhook-fault-words.ts";
import { webhookHeaders } from "./webhook-headers.ts";

export interface WebhookRequest {
  /** The webhook-id: the same at every attempt. */
  id: string;
  url: string;
  method: "POST" | "PUT" | "PATCH" | "GET" | "DELETE";
  /** The user's; a name or value that must not be sent makes the webhook refused. */
  headers: Readonly<Record<string, string>>;
  secret: string | null;
  /** JSON. Not sent with GET and DELETE: their signature is over an empty body. */
  body: string;
}

export interface WebhookRules {
  /** Whether loopback and private addresses may be called. */
  allowPrivate: boolean;
  /** For all of it, from the name to the last byte; 10,000 when absent. */
  timeoutMs?: number;
  /** The User-Agent; "fastlane" when absent. */
  userAgent?: string;
  /** Told each line of the conversation: `> ` is ours, `< ` the receiver's. */
  onLine?(line: string): void;
  resolve?: Resolve;
  /** PEM; these alone count for https. The system's and Mozilla's when absent. */
  authorities?: readonly string[];
}

export interface WebhookAnswer {
  /** Whether the receiver answered 2xx; what becomes of its answer behind the headers does not count. */
  ok: boolean;
  /** `null` when no answer came. */
  status: number | null;
  /** The first 2 KiB of it, as UTF-8. */
  answer: string;
  /** A sentence for people; `null` when `ok`. */
  error: string | null;
  /** From 0 to a day; of answers that were no success. */
  retryAfterSeconds: number | null;
  /** Whether another attempt is no use: refused by fastlane's own rules, or 410 Gone. */
  isFinal: boolean;
  durationMs: number;
  /** When it began; also the webhook-timestamp. */
  at: Date;
}

type Outcome = Omit<WebhookAnswer, "durationMs" | "at">;

/**
 * Sends a webhook once, signed after Standard Webhooks when there is a secret.
 *
 * @throws The signal's reason, if it was aborted before an answer came. Nothing that a receiver does
 *   throws.
 */
export async function sendWebhook(
  request: WebhookRequest,
  rules: WebhookRules,
  signal: AbortSignal,
): Promise<WebhookAnswer> {
  const at = new Date();
  const began = performance.now();
  const outcome = await attempt(request, rules, signal, at);
  return { ...outcome, durationMs: Math.round(performance.now() - began), at };
}

async function attempt(
  request: WebhookRequest,
  { timeoutMs = 10_000, userAgent = "fastlane", ...rules }: WebhookRules,
  signal: AbortSignal,
  at: Date,
): Promise<Outcome> {
  const deadline = AbortSignal.timeout(timeoutMs);
  const either = AbortSignal.any([signal, deadline]);
  const body = request.method === "GET" || request.method === "DELETE" ? null : request.body;
  let destination: Destination | null = null;
  try {
    const headers = webhookHeaders(request, body, { at, userAgent });
    const { allowPrivate, resolve = resolveBySystem, authorities } = rules;
    destination = await inTime(destinationOf(request.url, allowPrivate, resolve), either);
    rules.onLine?.(`> ${request.method} ${destination.url}`);
    for (const [name, text] of Object.entries(headers)) rules.onLine?.(`> ${name}: ${text}`);
    if (body !== null) rules.onLine?.(`>\n> ${body}`);
    const outgoing = { method: request.method, headers, body, authorities };
    const answered = await exchange(destination, outgoing, either);
    rules.onLine?.(`< ${answered.status}`);
    for (const line of answered.text.trimEnd().split("\n")) rules.onLine?.(`< ${line}`);
    return outcomeOf(answered, destination.url, at);
  } catch (error) {
    if (error instanceof Refused) return failure(error.message, true);
    signal.throwIfAborted();
    if (deadline.aborted) {
      return failure(`The receiver did not answer within ${timeoutMs / 1_000} s`, false);
    }
    return failure(faultWords(error, destination ?? named(request.url)), false);
  }
}

function outcomeOf(
  { status, headers, text }: Awaited<ReturnType<typeof exchange>>,
  url: URL,
  at: Date,
): Outcome {
  const ok = status >= 200 && status < 300;
  return {
    ok,
    status,
    answer: text,
    error: ok ? null : statusWords(status, headers, url),
    retryAfterSeconds: ok ? null : retryAfterSeconds(headers["retry-after"], at),
    isFinal: status === 410,
  };
}

function failure(error: string, isFinal: boolean): Outcome {
  return { ok: false, status: null, answer: "", error, retryAfterSeconds: null, isFinal };
}

function named(url: string): Named {
  return { host: URL.parse(url)?.hostname ?? "", port: 0, addresses: [] };
}

/** The system's resolver has no deadline of its own. */
async function inTime<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, late]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
