import type { Backoff } from "../core/backoff.ts";
import { formatImageReference, parseImageReference } from "../core/image-reference.ts";
import type { RetryRules } from "../core/retry.ts";
import type { JobPayload } from "./job-payload.ts";
import type { Notify, Webhooks } from "./notify.ts";

/** What an execution needs to make its container; kept with it, so that a later change leaves it be. */
export interface ContainerRequest {
  /** As the client wrote it. */
  imageText: string;
  /** With its tag or digest. */
  image: string;
  /** As the client wrote it. */
  commandText: string;
  words: string[];
  envs: Record<string, string>;
  pullPolicy: JobPayload["pullPolicy"];
  /** Name of a registry login of the configuration. */
  registryAuth?: string;
  cpus?: number;
  memoryBytes?: number;
  pids?: number;
  network?: string;
  user?: string;
  workdir?: string;
  /** `name:address`, as Docker takes them. */
  extraHosts?: string[];
}

/** What a job asks for beyond its container; kept with the job, for executions to come. */
export interface JobRules extends RetryRules {
  /** Already the lower of the job's own and the service's limit. */
  timeoutSeconds: number;
  /** ISO 8601. */
  expiresAt: string | null;
  concurrency: { key: string; limit: number } | null;
  onHostLost: JobPayload["onHostLost"];
  notify: Notify;
  webhooks: Webhooks;
}

/** What of the service's configuration stands in where a payload says nothing. */
export interface PayloadDefaults {
  hardTimeoutSeconds: number;
  backoff: Pick<Backoff, "minMs" | "factor">;
}

const MAX_BACKOFF_MS = 3_600_000;

export function containerRequestOf(payload: JobPayload): ContainerRequest {
  const reference = parseImageReference(payload.image);
  const { cpus, memory, pids } = payload.resources ?? {};
  return {
    imageText: payload.image,
    image: reference === null ? payload.image : formatImageReference(reference),
    commandText: payload.command.text,
    words: payload.command.words,
    envs: payload.envs,
    pullPolicy: payload.pullPolicy,
    ...given({
      registryAuth: payload.registryAuth,
      cpus,
      memoryBytes: memory,
      pids,
      network: payload.network,
      user: payload.user,
      workdir: payload.workdir,
      extraHosts: payload.additionalDNSEntries,
    }),
  };
}

export function jobRulesOf(payload: JobPayload, defaults: PayloadDefaults): JobRules {
  const { concurrencyKey: key, concurrencyLimit: limit = 1 } = payload;
  const { minMs = defaults.backoff.minMs, factor = defaults.backoff.factor } = payload.backoff;
  return {
    retries: payload.retries,
    backoff: {
      minMs,
      factor,
      maxMs: payload.backoff.maxMs ?? Math.max(minMs, MAX_BACKOFF_MS),
      jitter: payload.backoff.jitter ?? true,
    },
    retryOn: payload.retryOn ?? null,
    timeoutSeconds: Math.min(
      payload.timeout ?? defaults.hardTimeoutSeconds,
      defaults.hardTimeoutSeconds,
    ),
    expiresAt: payload.expiration?.toISOString() ?? null,
    concurrency: key === undefined ? null : { key, limit },
    onHostLost: payload.onHostLost,
    notify: payload.notify,
    webhooks: payload.webhooks,
  };
}

/** Without the keys that have no value. */
function given<T extends object>(values: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: Exclude<T[Key], undefined>;
  };
}
