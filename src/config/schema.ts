import * as v from "valibot";
import type { HostAccess } from "../core/host-access.ts";
import { areKeys, EXAMPLE_KEY, KEYS_WRONG } from "../core/keyring.ts";
import type { PoolRule } from "../core/pool.ts";
import { SECRET_WORDS } from "../core/redact.ts";
import type { SmtpLogin } from "../core/smtp-login.ts";
import { HOST_ACCESS_KEYS } from "./host-access.ts";
import { ACCESS_KEYS, HTTP_KEYS, METRICS_KEYS } from "./http-keys.ts";
import { key } from "./key.ts";
import { HOST_KEYS } from "./pools.ts";
import { REGISTRY_KEYS, type RegistryLogin } from "./registries.ts";
import { type ConfiguredWebhook, TELLING_KEYS } from "./telling.ts";
import { TRACE_KEYS } from "./traces.ts";
import { factor, text, wholeNumber } from "./values.ts";

/** A timer of JavaScript lasts no longer than 2^31 ms. */
const LONGEST_TIMEOUT_SECONDS = 2_000_000;
const LEAST_LOG_BYTES = 1024 * 1024;
const MOST_LOG_BYTES = 64 * 1024 ** 3;

const postgresUrl = v.pipe(text, v.regex(/^postgres(ql)?:\/\//, "must begin with postgres://"));
const days = wholeNumber(1, 36_500);

/** How long what has ended is kept, and who did what, in days. */
const Retention = v.pipe(
  v.object(
    {
      logsDays: key("Days that logs are kept", v.optional(days, 30)),
      failedLogsDays: key(
        "Days that logs of what failed, timed out or was lost are kept; not below logsDays",
        v.optional(days, 90),
      ),
      executionsDays: key(
        "Days that executions themselves are kept; not below failedLogsDays",
        v.optional(days, 180),
      ),
      auditDays: key("Days that it is kept who did what", v.optional(days, 365)),
    },
    "must be a table",
  ),
  v.check(
    ({ logsDays, failedLogsDays }) => failedLogsDays >= logsDays,
    ({ input: { logsDays, failedLogsDays } }) =>
      `must not have failedLogsDays (${failedLogsDays}) below logsDays (${logsDays})`,
  ),
  v.check(
    ({ failedLogsDays, executionsDays }) => executionsDays >= failedLogsDays,
    ({ input: { failedLogsDays, executionsDays } }) =>
      `must not have executionsDays (${executionsDays}) below failedLogsDays (${failedLogsDays})`,
  ),
);

const STORE_KEYS = {
  dataDir: key("Where the embedded Postgres and `secret.key` are kept", v.optional(text), {
    example: "/var/lib/fastlane",
    otherwise: "`/var/lib/fastlane` for root, `~/.local/share/fastlane` for others",
  }),
  databaseUrl: key(
    "A Postgres 14 to 18 in place of the embedded one, as `postgres://user:password@host:5432/database`; " +
      "`sslmode` is `disable`, `require` or `verify-full`",
    v.optional(postgresUrl),
    {
      example: "postgres://fastlane:password@db.example:5432/fastlane?sslmode=verify-full",
      secret: true,
    },
  ),
  databaseUrlFile: key("A file with that URL", v.optional(text), {
    example: "/etc/fastlane/database-url",
    secret: true,
    file: "start",
    insteadOf: "databaseUrl",
  }),
  secretKey: key(
    "What secrets in the database are sealed by, the same on all nodes: 32 bytes in base64, as " +
      "`openssl rand -base64 32` prints; with more lines the first seals and all open; see secrets.md",
    v.optional(v.pipe(v.string("must be a text"), v.check(areKeys, KEYS_WRONG))),
    {
      example: EXAMPLE_KEY,
      otherwise: "`secret.key` in dataDir, which the first start makes",
      secret: true,
    },
  ),
  secretKeyFile: key("A file with that key", v.optional(text), {
    example: "/etc/fastlane/secret.key",
    secret: true,
    file: "start",
    insteadOf: "secretKey",
  }),
};

const EXECUTION_KEYS = {
  hardExecutionTimeoutSeconds: key(
    "The most seconds that any container may run",
    v.optional(wholeNumber(1, LONGEST_TIMEOUT_SECONDS), 1_800),
  ),
  exponentialBackoffMinMs: key(
    "Milliseconds before the first retry, where a payload does not say",
    v.optional(wholeNumber(1, 86_400_000), 1_000),
  ),
  exponentialBackoffFactor: key(
    "By how much that wait grows from one retry to the next",
    v.optional(factor, 2),
  ),
  envBlacklistedWords: key(
    "Variables whose name contains one of these words are shown as `***`",
    v.optional(v.array(text, "must be a list of words"), [...SECRET_WORDS]),
  ),
};

const LOG_KEYS = {
  maxLogBytes: key(
    "Bytes that are kept of one execution's log at most, stdout and stderr together; of a longer " +
      "one the first and the last half of it, and up to an eighth more",
    v.optional(wholeNumber(LEAST_LOG_BYTES, MOST_LOG_BYTES), 256 * 1024 * 1024),
  ),
  logLevel: key(
    "What fastlane's own log tells",
    v.optional(
      v.picklist(["debug", "info", "warn", "error"], 'must be "debug", "info", "warn" or "error"'),
      "info",
    ),
  ),
  retention: key(
    "How long logs and executions are kept after an execution's end",
    v.optional(Retention, {}),
  ),
};

/** The keys in the order in which they are told of. */
export const SECTIONS = [
  { title: "The HTTP API", keys: HTTP_KEYS },
  { title: "Who may use it", keys: ACCESS_KEYS },
  { title: "Metrics", keys: METRICS_KEYS },
  { title: "Postgres", keys: STORE_KEYS },
  { title: "Executions", keys: EXECUTION_KEYS },
  { title: "Logs", keys: LOG_KEYS },
  { title: "Docker hosts", keys: { ...HOST_KEYS, ...HOST_ACCESS_KEYS } },
  { title: "Logins for pulls", keys: REGISTRY_KEYS },
  { title: "Webhooks and mail", keys: TELLING_KEYS },
  { title: "Traces", keys: TRACE_KEYS },
] as const;

/**
 * Every key of the configuration, with its default and what is allowed. Keys beyond these are for
 * the reader to refuse: valibot would name the first alone.
 */
export const ConfigSchema = v.object({
  ...HTTP_KEYS,
  ...ACCESS_KEYS,
  ...METRICS_KEYS,
  ...STORE_KEYS,
  ...EXECUTION_KEYS,
  ...LOG_KEYS,
  ...HOST_KEYS,
  ...HOST_ACCESS_KEYS,
  ...REGISTRY_KEYS,
  ...TELLING_KEYS,
  ...TRACE_KEYS,
});

/** The configuration of one process: read once, checked whole, never changed. */
export type Config = Readonly<
  Omit<
    v.InferOutput<typeof ConfigSchema>,
    | "dataDir"
    | "databaseUrlFile"
    | "secretKeyFile"
    | "basicAuthPasswordFile"
    | "dockerHosts"
    | "registries"
    | "hostAccess"
    | "webhooks"
    | "otlpHeadersFile"
  >
> & {
  readonly webhooks: readonly ConfiguredWebhook[];
  /** `null` where no mail can go. */
  readonly smtp: SmtpLogin | null;
  readonly dataDir: string;
  /** A swarm is a host among others by then. */
  readonly dockerHosts: readonly PoolRule[];
  /** By the name that payloads give, which is the registry's where none is given. */
  readonly registries: Readonly<Record<string, RegistryLogin>>;
  /** By host: every https and ssh host of the pools. */
  readonly hostAccess: Readonly<Record<string, HostAccess>>;
  /** The descriptor of the socket that listens at `host` and `port` already. */
  readonly inheritedSocket: number | null;
  /** What the service's log is to tell of the configuration when it starts. */
  readonly notices: readonly string[];
};
