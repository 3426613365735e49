import { isIP } from "node:net";
import * as v from "valibot";
import type { HostAccess } from "../core/host-access.ts";
import { HOST_NAME_FORMS, parseHostName } from "../core/host-name.ts";
import type { PoolRule } from "../core/pool.ts";
import { SECRET_WORDS } from "../core/redact.ts";
import type { SmtpLogin } from "../core/smtp-login.ts";
import { Access } from "./host-access.ts";
import { Allow, Containers, faultsOfPolicy } from "./pool-policy.ts";
import { type ConfiguredWebhook, TELLING_KEYS } from "./telling.ts";
import { factor, text, truth, wholeNumber } from "./values.ts";

const httpUrl = v.pipe(
  text,
  v.check((url) => /^https?:$/.test(URL.parse(url)?.protocol ?? ""), "must be an http(s) URL"),
);
const postgresUrl = v.pipe(text, v.regex(/^postgres(ql)?:\/\//, "must begin with postgres://"));
const network = v.pipe(
  text,
  v.check(isNetwork, "must be an IP address or a network such as 10.0.0.0/8"),
);
const expression = v.pipe(
  v.string("must be a text"),
  v.check(isExpression, "must be a regular expression"),
);

const headerText = v.pipe(
  text,
  v.regex(/^[\x20-\x7e]+$/, "must be in one line of ASCII"),
  v.excludes('"', 'must not have "'),
);
const corsOrigin = v.pipe(
  text,
  v.check(isOrigin, 'must be "*" or an origin such as https://console.example'),
);

const DEFAULT_MAX_RUNNING = 20;
/** A timer of JavaScript lasts no longer than 2^31 ms. */
const LONGEST_TIMEOUT_SECONDS = 2_000_000;
const LEAST_LOG_BYTES = 1024 * 1024;
const MOST_LOG_BYTES = 64 * 1024 ** 3;
const LOCAL_SOCKET = "unix:///var/run/docker.sock";

const hostName = v.pipe(
  text,
  v.check((name) => parseHostName(name) !== null, `must be ${HOST_NAME_FORMS}`),
);

/** The password stands here or in a file, exactly one of both. */
export const Registry = v.object(
  {
    registry: v.optional(text),
    username: text,
    password: v.optional(text),
    passwordFile: v.optional(text),
  },
  "must be a table with username and password or passwordFile",
);

const days = wholeNumber(1, 36_500);

/** How long what has ended is kept, and who did what, in days. */
export const Retention = v.pipe(
  v.object(
    {
      logsDays: v.optional(days, 30),
      failedLogsDays: v.optional(days, 90),
      executionsDays: v.optional(days, 180),
      auditDays: v.optional(days, 365),
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

/** It has `hosts` or `swarm`, exactly one of both. */
export const Pool = v.pipe(
  v.object(
    {
      match: v.optional(expression, ""),
      hosts: v.optional(
        v.pipe(
          v.array(hostName, "must be a list of hosts"),
          v.minLength(1, "must name at least one host"),
          v.check((names) => new Set(names).size === names.length, "must not name a host twice"),
        ),
      ),
      /** A manager of the swarm that stands for all its hosts. */
      swarm: v.optional(hostName),
      maxRunning: v.optional(wholeNumber(1, 100_000), DEFAULT_MAX_RUNNING),
      allow: v.optional(Allow),
      containers: v.optional(Containers),
    },
    "must be a table",
  ),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    for (const message of faultsOfPolicy(dataset.value)) addIssue({ message });
  }),
);

/**
 * Every key of the configuration, with its default and what is allowed. Keys beyond these are for
 * the reader to refuse: valibot would name the first alone.
 */
export const ConfigSchema = v.object({
  port: v.optional(wholeNumber(0, 65_535), 10_000),
  host: v.optional(text, "127.0.0.1"),
  publicUrl: v.optional(httpUrl),
  trustedProxies: v.optional(v.array(network, "must be a list of addresses"), []),
  dataDir: v.optional(text),
  databaseUrl: v.optional(postgresUrl),
  corsOrigins: v.optional(v.array(corsOrigin, "must be a list of origins"), []),
  basicAuthUsername: v.optional(v.pipe(text, v.excludes(":", 'must not have ":"'))),
  basicAuthPassword: v.optional(text),
  basicAuthRealm: v.optional(headerText, "fastlane"),
  hardExecutionTimeoutSeconds: v.optional(wholeNumber(1, LONGEST_TIMEOUT_SECONDS), 1_800),
  exponentialBackoffMinMs: v.optional(wholeNumber(1, 86_400_000), 1_000),
  exponentialBackoffFactor: v.optional(factor, 2),
  registries: v.optional(v.pipe(v.record(text, Registry, "must be a table of logins")), {}),
  dockerConfigFile: v.optional(v.string("must be a text")),
  dockerHosts: v.optional(
    v.pipe(
      v.array(Pool, "must be a list of pools"),
      v.minLength(1, "must have at least one pool"),
      v.check(
        (pools) => new Set(pools.map(({ match }) => match)).size === pools.length,
        "must not have two pools with the same match",
      ),
      v.check(
        (pools) => poolsNeverReached(pools).length === 0,
        ({ input }) => describeNeverReached(input),
      ),
    ),
    [{ match: "", hosts: [LOCAL_SOCKET] }],
  ),
  dockerCircuitBreakerMaxFails: v.optional(wholeNumber(1, 1_000), 5),
  dockerCircuitBreakerResetTimeoutSeconds: v.optional(wholeNumber(1, 86_400), 60),
  hostLostAfterSeconds: v.optional(wholeNumber(1, 604_800), 300),
  hostAccess: v.optional(v.record(text, Access, "must be a table of hosts"), {}),
  maxLogBytes: v.optional(wholeNumber(LEAST_LOG_BYTES, MOST_LOG_BYTES), 256 * 1024 * 1024),
  retention: v.optional(Retention, {}),
  ...TELLING_KEYS,
  envBlacklistedWords: v.optional(v.array(text, "must be a list of words"), [...SECRET_WORDS]),
  paginationPerPage: v.optional(wholeNumber(1, 100), 10),
  logLevel: v.optional(
    v.picklist(["debug", "info", "warn", "error"], 'must be "debug", "info", "warn" or "error"'),
    "info",
  ),
  noAuth: v.optional(truth, false),
});

/** The configuration of one process: read once, checked whole, never changed. */
export type Config = Readonly<
  Omit<
    v.InferOutput<typeof ConfigSchema>,
    "dataDir" | "dockerHosts" | "registries" | "hostAccess" | "webhooks"
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
  /** What the service's log is to tell of the configuration when it starts. */
  readonly notices: readonly string[];
};

export interface RegistryLogin {
  registry: string;
  username: string;
  password: string;
}

/** What stands behind the pool that fits all. */
function poolsNeverReached(pools: readonly { match: string }[]): string[] {
  const all = pools.findIndex(({ match }) => match === "");
  return all === -1 ? [] : pools.slice(all + 1).map(({ match }) => match);
}

function describeNeverReached(pools: readonly { match: string }[]): string {
  const names = poolsNeverReached(pools).map((match) => `"${match}"`);
  return `must have the pool with match "" last: it fits all, and ${names.join(", ")} can never match`;
}

function isExpression(source: string): boolean {
  try {
    new RegExp(source, "u");
    return true;
  } catch {
    return false;
  }
}

function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  return text === "*" || (url !== null && /^https?:$/.test(url.protocol) && url.origin === text);
}

function isNetwork(text: string): boolean {
  const [, address = "", bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  return version !== 0 && Number(bits ?? 0) <= (version === 6 ? 128 : 32);
}
