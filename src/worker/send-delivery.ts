import { type Keyring, SealedShut } from "../core/keyring.ts";
import type { SmtpLogin } from "../core/smtp-login.ts";
import { mailOf } from "../notify/mail-text.ts";
import { sendMail } from "../notify/smtp.ts";
import { sendWebhook } from "../notify/webhook.ts";
import type { Webhook } from "../payload/notify.ts";
import { openWebhook } from "../payload/sealed.ts";
import { type ExecutionFacts, executionFacts } from "../services/execution-facts.ts";
import type { Db } from "../store/connect.ts";
import type { ServiceWebhook } from "../store/deliveries.ts";
import type { DeliveryRow } from "../store/delivery-schema.ts";
import type { Traces } from "../traces/traces.ts";
import type { Sent } from "./deliverer.ts";
import { tellDelivery, withTrace } from "./trace-delivery.ts";

export interface SendDeps {
  db: Db;
  keyring: Keyring;
  /** Those of the service, by their names. */
  webhooks(): ReadonlyMap<string, ServiceWebhook>;
  traces: Traces;
  webhooksAllowPrivate: boolean;
  userAgent: string;
  /** `null` where no mail can go. */
  smtp: SmtpLogin | null;
  /** Where the API is, without a slash at its end. */
  baseUrl: string;
}

/** Sends a webhook or a mail, with the execution as it is now. */
export async function sendDelivery(
  deps: SendDeps,
  delivery: DeliveryRow,
  signal: AbortSignal,
): Promise<Sent> {
  const facts = await executionFacts(deps.db, delivery.executionId);
  if (facts === null) return unsent("The execution is no longer kept");
  const sent = await send(deps, delivery, facts, signal);
  tellDelivery(deps.traces, facts.trace, delivery, sent);
  return sent;
}

async function send(
  deps: SendDeps,
  delivery: DeliveryRow,
  facts: ExecutionFacts,
  signal: AbortSignal,
): Promise<Sent> {
  if (delivery.kind === "webhook") return await sendHook(deps, delivery, facts, signal);
  if (deps.smtp === null) return unsent("No mail goes: smtpHost is not configured");
  const { error, ...sent } = await sendMail(
    deps.smtp,
    { id: delivery.id, to: delivery.target, ...mailFor(deps, delivery, facts) },
    signal,
  );
  return { ...sent, error, retryAfterSeconds: null };
}

async function sendHook(
  deps: SendDeps,
  delivery: DeliveryRow,
  { execution, custom, jobId, taskId, trace }: ExecutionFacts,
  signal: AbortSignal,
): Promise<Sent> {
  const { webhooksAllowPrivate: allowPrivate, userAgent } = deps;
  const { id, event } = delivery;
  const webhook = webhookOf(deps, delivery, jobId);
  if (typeof webhook === "string") return unsent(webhook);
  const { url, method = "POST", secret = null } = webhook;
  const headers = withTrace(webhook.headers ?? {}, trace, delivery);
  const body = JSON.stringify({
    ...execution,
    metadata: { ...execution.metadata, custom },
    job_id: jobId,
    task_id: taskId,
    event,
  });
  const { status: code, ...sent } = await sendWebhook(
    { id, url, method, headers, secret, body },
    { allowPrivate, userAgent },
    signal,
  );
  return { ...sent, code };
}

/** @returns A sentence when it cannot be sent. */
function webhookOf(
  { keyring, webhooks }: SendDeps,
  { target, request: { webhook: name, ...request } }: DeliveryRow,
  jobId: string,
): Webhook | string {
  if (name !== undefined) {
    return webhooks().get(name) ?? "It is in the configuration of no node any more";
  }
  try {
    return { url: target, ...openWebhook(keyring, jobId, request) };
  } catch (error) {
    if (!(error instanceof SealedShut)) throw error;
    return `Its secret and headers cannot be read: ${error.message}`;
  }
}

function mailFor(
  { baseUrl }: SendDeps,
  { event }: DeliveryRow,
  { execution, jobId, taskId }: ExecutionFacts,
) {
  const jobUrl = `${baseUrl}/tasks/${encodeURIComponent(taskId)}/jobs/${jobId}`;
  const executionUrl = `${jobUrl}/executions/${execution.executionId}/`;
  return mailOf({
    event,
    taskId,
    jobId,
    ...execution,
    message: null,
    startedAt: dateOf(execution.startedAt),
    finishedAt: dateOf(execution.finishedAt),
    logEnd: joined(execution.log, execution.error),
    logTruncated: execution.logTruncated ?? false,
    jobUrl,
    executionUrl,
    streamUrl: `${executionUrl}stream/`,
  });
}

/** A last line without its end must not run into what stands behind it. */
const joined = (first: string, second: string) =>
  first === "" || first.endsWith("\n") ? first + second : `${first}\n${second}`;

const dateOf = (time: string | null) => (time === null ? null : new Date(time));

/** It was not tried, and there is no use in it. */
function unsent(error: string): Sent {
  return {
    ok: false,
    isFinal: true,
    retryAfterSeconds: null,
    at: new Date(),
    durationMs: 0,
    code: null,
    answer: "",
    error,
  };
}
