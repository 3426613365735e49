import type { Keyring } from "../core/keyring.ts";
import type { ContainerRequest, JobRules } from "./job-details.ts";
import type { Webhook, Webhooks } from "./notify.ts";

declare const STORED: unique symbol;

/**
 * Variables as a row has them: sealed, or in clear where a node of an earlier version wrote them, or
 * may have to read them. See `openEnvs`.
 */
export interface StoredEnvs {
  readonly [STORED]: true;
}

/** What an execution needs to make its container, as a row has it. */
export type StoredRequest = Omit<ContainerRequest, "envs"> & { envs: StoredEnvs };

/** A webhook as a row has it. */
export interface StoredWebhook extends Webhook {
  /** What may be secret of it. */
  sealed?: string;
}

/** A job's rules, as a row has them. */
export type StoredRules = Omit<JobRules, "webhooks"> & {
  webhooks: { [Event in keyof Webhooks]: StoredWebhook[] | undefined };
};

/** A webhook whose URL stands elsewhere. */
type WebhookParts = Omit<StoredWebhook, "url">;

/** What is secret of a webhook; of one of the service its URL as well. */
type WebhookSecrets = Pick<Webhook, "secret" | "headers"> & { url?: string };

/** What a row is sealed by. */
export interface Secrets {
  readonly keyring: Keyring;
  /** `null` as long as a node of a version before is alive that reads nothing that is sealed. */
  sealer(): Keyring | null;
}

/**
 * No variable has an empty name: so this is told from variables in clear. What does not know of it
 * is refused by Docker, and runs nothing without its variables.
 */
const SEALED_NAME = "";

const envsOf = (jobId: string) => `job ${jobId} envs`;
const webhookOf = (jobId: string) => `job ${jobId} webhook`;

/** @param sealer `null` leaves all as it is. */
export function sealRequest(
  { envs, ...request }: ContainerRequest,
  jobId: string,
  sealer: Keyring | null,
): StoredRequest {
  return { ...request, envs: sealEnvs(envs, jobId, sealer) };
}

/** Of what has no variables nothing is sealed. */
export function sealEnvs(
  envs: Record<string, string>,
  jobId: string,
  sealer: Keyring | null,
): StoredEnvs {
  const isLeft = sealer === null || Object.keys(envs).length === 0;
  const stored = isLeft
    ? envs
    : { [SEALED_NAME]: sealer.seal(JSON.stringify(envs), envsOf(jobId)) };
  return stored as unknown as StoredEnvs;
}

/** @throws {SealedShut} */
export function openEnvs(
  keyring: Keyring,
  jobId: string,
  { envs: stored }: Pick<StoredRequest, "envs">,
): Record<string, string> {
  const envs = stored as unknown as Record<string, string>;
  const sealed = envs[SEALED_NAME];
  return sealed === undefined ? envs : JSON.parse(keyring.open(sealed, envsOf(jobId)));
}

/** @throws {SealedShut} */
export function openRequest(
  keyring: Keyring,
  jobId: string,
  request: StoredRequest,
): ContainerRequest {
  return { ...request, envs: openEnvs(keyring, jobId, request) };
}

/** @throws {SealedShut} */
export function openRules(keyring: Keyring, jobId: string, rules: StoredRules): JobRules {
  const opened = Object.entries(rules.webhooks).map(([event, hooks]) => [
    event,
    hooks?.map((hook) => ({ ...openWebhook(keyring, jobId, hook), url: hook.url })),
  ]);
  return { ...rules, webhooks: Object.fromEntries(opened) };
}

/** @param sealer `null` leaves all as it is. */
export function sealRules(rules: JobRules, jobId: string, sealer: Keyring | null): StoredRules {
  if (sealer === null) return rules;
  return { ...rules, webhooks: sealWebhooks(rules.webhooks, jobId, sealer) };
}

export function sealWebhooks(
  webhooks: StoredRules["webhooks"],
  jobId: string,
  sealer: Keyring,
): StoredRules["webhooks"] {
  const sealed = ([event, hooks]: [string, StoredWebhook[] | undefined]) => [
    event,
    hooks?.map((hook) => ({ ...sealWebhook(hook, jobId, sealer), url: hook.url })),
  ];
  return Object.fromEntries(Object.entries(webhooks).map(sealed));
}

/**
 * Of a webhook with neither secret nor headers nothing is sealed.
 *
 * @param also What else is secret of it.
 */
export function sealWebhook(
  { secret, headers, ...hook }: WebhookParts,
  jobId: string,
  sealer: Keyring,
  also: Pick<WebhookSecrets, "url"> = {},
): WebhookParts {
  const secrets: WebhookSecrets = {
    ...also,
    ...(secret === undefined ? {} : { secret }),
    ...(headers === undefined ? {} : { headers }),
  };
  if (Object.keys(secrets).length === 0) return hook;
  return { ...hook, sealed: sealer.seal(JSON.stringify(secrets), webhookOf(jobId)) };
}

/** @throws {SealedShut} */
export function openWebhook(
  keyring: Keyring,
  jobId: string,
  { sealed, ...hook }: WebhookParts,
): WebhookParts & WebhookSecrets {
  if (sealed === undefined) return hook;
  const secrets: WebhookSecrets = JSON.parse(keyring.open(sealed, webhookOf(jobId)));
  return { ...hook, ...secrets };
}
