import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { parse as parseToml, TomlError } from "smol-toml";
import * as v from "valibot";
import { messageOf } from "../core/errors.ts";
import { hostsOf } from "../core/pool.ts";
import { managerOf } from "../core/swarm-name.ts";
import { dockerLogins } from "./docker-config.ts";
import { accessOf, faultsOfAccess } from "./host-access.ts";
import { poolsOf } from "./pools.ts";
import { registriesOf } from "./registries.ts";
import { type Config, ConfigSchema } from "./schema.ts";
import { faultsOfTelling, smtpOf, webhooksOf } from "./telling.ts";
import { tablesOf, unknownKeys } from "./unknown-keys.ts";

const SYSTEM_FILE = "/etc/fastlane/fastlane.toml";
const PREFIX = "FASTLANE_";
/** Read by the command line, and by the project's own scripts and tests. */
const NO_KEY = /^FASTLANE_(CONFIG|URL|TEST_.*)$/;
/** An empty variable is as none, but for these keys. */
const EMPTY_SAYS_SOMETHING = new Set(["dockerConfigFile"]);
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/;

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Sources {
  environment: Environment;
  /** Keys that were given as flags, with their texts. */
  flags: Readonly<Record<string, string | boolean | undefined>>;
  configFile: string | undefined;
}

/** The configuration cannot be used; the message names everything that is wrong. */
class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/**
 * Reads the configuration: flags over environment over file over defaults.
 *
 * @throws {ConfigError} Naming every wrong key and value, and what is allowed.
 */
export function loadConfig(sources: Sources): Config {
  const values = {
    ...fromFile(sources),
    ...fromEnvironment(sources.environment),
    ...fromFlags(sources.flags),
  };
  const { SSH_AUTH_SOCK: agentSocket } = sources.environment;
  const result = v.safeParse(ConfigSchema, values);
  const wrong = [
    ...unknownKeys(ConfigSchema, values),
    ...(result.issues ?? []).map(describe),
    ...faultsOfPairs(values),
    ...faultsOfTelling(values),
    ...faultsOfAccess(
      tablesOf(values["hostAccess"]),
      hostsNamed(values["dockerHosts"]),
      agentSocket,
    ),
  ];
  if (!result.success || wrong.length > 0) {
    throw new ConfigError(`Cannot start: ${wrong.join("; ")}`);
  }
  const docker = dockerLoginsOf(result.output.dockerConfigFile, sources);
  const dockerHosts = poolsOf(result.output.dockerHosts);
  const hosts = hostsOf(dockerHosts);
  const config = {
    ...result.output,
    dataDir: result.output.dataDir ?? defaultDataDir(sources),
    dockerHosts,
    ...tellingOf(result.output),
    // Ours come first, since the first login for a registry is the one that is used.
    registries: withMissing(
      registriesOf(result.output.registries, (path) => textOf(path).trimEnd()),
      docker.registries,
    ),
    hostAccess: accessOf(result.output.hostAccess, hosts.map(managerOrSelf), agentSocket),
    notices: docker.notices,
  };
  const asksForPassword = config.basicAuthUsername !== undefined;
  if (!LOOPBACK.test(config.host) && !config.noAuth && !asksForPassword) {
    throw new ConfigError(
      `Cannot start: host "${config.host}" can be reached from other machines, and whoever reaches ` +
        "fastlane controls the Docker hosts; listen on 127.0.0.1, configure basicAuthUsername and " +
        "basicAuthPassword, or say --no-auth to accept that",
    );
  }
  return Object.freeze(config);
}

/** What is wrong with keys that are each right alone. */
function faultsOfPairs(values: Record<string, unknown>): string[] {
  const { basicAuthUsername: username, basicAuthPassword: password, registries } = values;
  const wrong: string[] = [];
  if ((username === undefined) !== (password === undefined)) {
    wrong.push("basicAuthUsername and basicAuthPassword must be given together");
  }
  for (const [name, login] of tablesOf(registries)) {
    if ("password" in login === "passwordFile" in login) {
      wrong.push(`registries.${name} must have either password or passwordFile`);
    }
  }
  for (const [index, pool] of tablesOf(values["dockerHosts"])) {
    if ("hosts" in pool === "swarm" in pool) {
      wrong.push(`dockerHosts.${index} must have either hosts or swarm`);
    }
  }
  return wrong;
}

/** What is connected to. */
const managerOrSelf = (host: string) => managerOf(host) ?? host;

function tellingOf(values: v.InferOutput<typeof ConfigSchema>) {
  try {
    return { webhooks: webhooksOf(values), smtp: smtpOf(values) };
  } catch (error) {
    throw new ConfigError(`Cannot start: ${messageOf(error)}`);
  }
}

function dockerLoginsOf(file: string | undefined, { environment }: Sources) {
  try {
    return dockerLogins(file, environment);
  } catch (error) {
    throw new ConfigError(`Cannot start: ${messageOf(error)}`);
  }
}

function withMissing<T>(first: Record<string, T>, others: Record<string, T>): Record<string, T> {
  const missing = Object.entries(others).filter(([name]) => !Object.hasOwn(first, name));
  return { ...first, ...Object.fromEntries(missing) };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigError(`Cannot read the file "${path}": ${messageOf(error)}`);
  }
}

/** The hosts of pools that may be wrong themselves. */
function hostsNamed(pools: unknown): string[] {
  const Named = v.object({
    hosts: v.optional(v.array(v.unknown()), []),
    swarm: v.optional(v.unknown()),
  });
  return (Array.isArray(pools) ? pools : [])
    .flatMap((pool) => {
      const named = v.safeParse(Named, pool);
      return named.success ? [...named.output.hosts, named.output.swarm] : [];
    })
    .filter((host) => typeof host === "string");
}

function fromFile({ configFile, environment }: Sources): Record<string, unknown> {
  const named = configFile ?? environment["FASTLANE_CONFIG"];
  const path = named ?? SYSTEM_FILE;
  if (named === undefined && !existsSync(path)) return {};
  const text = textOf(path);
  try {
    return parseToml(text);
  } catch (error) {
    throw new ConfigError(`Cannot read the configuration file "${path}": ${tomlFaultOf(error)}`);
  }
}

/** Without the lines around it, which the parser quotes: they may be a password's. */
function tomlFaultOf(error: unknown): string {
  const [what = ""] = messageOf(error).split("\n");
  return error instanceof TomlError ? `${what} (line ${error.line})` : what;
}

function fromEnvironment(environment: Environment): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  const { DATABASE_URL: databaseUrl } = environment;
  if (databaseUrl !== undefined && databaseUrl !== "") values["databaseUrl"] = databaseUrl;
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith(PREFIX) || NO_KEY.test(name) || text === undefined) continue;
    const key = keyOfVariable(name);
    if (text === "" && !EMPTY_SAYS_SOMETHING.has(key)) continue;
    values[key] = Object.hasOwn(ConfigSchema.entries, key) ? fromText(key, text) : text;
  }
  return values;
}

function fromFlags(flags: Sources["flags"]): Record<string, unknown> {
  const given = Object.entries(flags).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    given.map(([key, value]) => [key, typeof value === "string" ? fromText(key, value) : value]),
  );
}

/** `FASTLANE_DOCKER_HOSTS` is `dockerHosts`. */
function keyOfVariable(name: string): string {
  return name
    .slice(PREFIX.length)
    .toLowerCase()
    .replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** Texts are texts; numbers, truths, lists and tables are JSON. */
function fromText(key: string, text: string): unknown {
  const entry = ConfigSchema.entries[key as keyof typeof ConfigSchema.entries];
  const takesText = v.safeParse(entry, text).success;
  if (takesText) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function defaultDataDir({ environment }: Sources): string {
  if (process.getuid?.() === 0) return "/var/lib/fastlane";
  const base = environment["XDG_DATA_HOME"] ?? join(homedir(), ".local", "share");
  return join(base, "fastlane");
}

function describe(issue: v.BaseIssue<unknown>): string {
  const path = (issue.path ?? []).map(({ key }) => String(key)).join(".");
  return issue.type === "object" && issue.received === "undefined"
    ? `${path} must be given`
    : `${path} ${issue.message}`;
}
