import { homedir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { messageOf } from "../core/errors.ts";
import { hostsOf } from "../core/pool.ts";
import { managerOf } from "../core/swarm-name.ts";
import { type DockerLogins, dockerLogins } from "./docker-config.ts";
import { ConfigError, type Fault, sentenceOf } from "./fault.ts";
import { accessOf, faultsOfAccess } from "./host-access.ts";
import { inheritedSocket } from "./inherited-socket.ts";
import { type NamedFiles, noticesOfFile, readNamedFiles } from "./named-files.ts";
import { faultsOfPairs } from "./pair-faults.ts";
import { poolsOf } from "./pools.ts";
import { registriesOf } from "./registries.ts";
import { type Config, ConfigSchema } from "./schema.ts";
import { tablesOf } from "./shape.ts";
import { type Environment, type Given, gather, type Sources } from "./sources.ts";
import { smtpOf, webhooksOf } from "./telling.ts";
import { unknownKeys } from "./unknown-keys.ts";

export type { Environment, Sources } from "./sources.ts";

/** How thoroughly the configuration is looked at. */
interface Care {
  /** Look at what a start leaves for later as well: files that connections need. */
  whole: boolean;
}

/**
 * Reads the configuration: flags over environment over file over defaults.
 *
 * @throws {ConfigError} Naming every wrong key and value, and what is allowed.
 */
export function loadConfig(sources: Sources): Config {
  return loadWhole(sources, { whole: false }).config;
}

/**
 * Looks at all that a start would, and at what it leaves for later; nothing is connected to.
 *
 * @throws {ConfigError}
 */
export function checkedConfig(sources: Sources): { what: string; notices: readonly string[] } {
  const { config, given } = loadWhole(sources, { whole: true });
  return { what: given.file?.path ?? "The configuration", notices: config.notices };
}

/** What was given, what counts, and the configuration made of it. @throws {ConfigError} */
export function loadWhole(
  sources: Sources,
  { whole }: Care,
): { config: Config; output: v.InferOutput<typeof ConfigSchema>; given: Given } {
  const { environment } = sources;
  const given = gather(sources);
  const { values } = given;
  const files = readNamedFiles(values, environment["CREDENTIALS_DIRECTORY"], whole);
  const docker = dockerLoginsOf(values["dockerConfigFile"], environment);
  const result = v.safeParse(ConfigSchema, values);
  const faults = [
    ...unknownKeys(ConfigSchema, values),
    ...(result.issues ?? []).map(faultOf),
    ...faultsOfPairs(values),
    ...faultsOfAccess(
      tablesOf(values["hostAccess"]),
      hostsNamed(values["dockerHosts"]),
      environment["SSH_AUTH_SOCK"],
    ),
    ...files.faults,
    ...docker.faults,
  ];
  const lines = [...linesOf(faults, given), ...(whole ? hiddenFaults(given) : [])];
  if (!result.success || lines.length > 0) throw new ConfigError(lines);
  const notices = [
    ...(given.file === null ? [] : noticesOfFile(given.file)),
    ...files.notices,
    ...docker.notices,
  ];
  const logins = docker.registries;
  const config = configOf(result.output, environment, { read: files.read, logins, notices });
  return { config, output: result.output, given };
}

/** What of the file is wrong although something else is said over it. */
function hiddenFaults({ file, placeOf }: Given): string[] {
  if (file === null) return [];
  const faults = (v.safeParse(ConfigSchema, file.values).issues ?? [])
    .map(faultOf)
    .filter(({ at }) => placeOf(at) !== file.placeOf(at));
  return linesOf(faults, file);
}

function configOf(
  output: v.InferOutput<typeof ConfigSchema>,
  environment: Environment,
  {
    read,
    logins,
    notices,
  }: Pick<NamedFiles, "read"> & Pick<Config, "notices"> & { logins: DockerLogins["registries"] },
): Config {
  const { databaseUrlFile, secretKeyFile, basicAuthPasswordFile, otlpHeadersFile, ...values } =
    output;
  const dockerHosts = poolsOf(values.dockerHosts);
  const hosts = hostsOf(dockerHosts);
  return Object.freeze({
    ...values,
    ...(databaseUrlFile === undefined ? {} : { databaseUrl: read(databaseUrlFile) }),
    ...(secretKeyFile === undefined ? {} : { secretKey: read(secretKeyFile) }),
    ...(basicAuthPasswordFile === undefined
      ? {}
      : { basicAuthPassword: read(basicAuthPasswordFile) }),
    ...(otlpHeadersFile === undefined ? {} : { otlpHeaders: read(otlpHeadersFile) }),
    dataDir: values.dataDir ?? defaultDataDir(environment),
    dockerHosts,
    webhooks: webhooksOf(values, read),
    smtp: smtpOf(values, read),
    // Ours come first, since the first login for a registry is the one that is used.
    registries: withMissing(registriesOf(values.registries, read), logins),
    hostAccess: accessOf(values.hostAccess, hosts.map(managerOrSelf), environment["SSH_AUTH_SOCK"]),
    inheritedSocket: inheritedSocket(environment)?.fd ?? null,
    notices,
  });
}

/** Each fault once, with the place where it is to be seen before it, those of the file in its order. */
function linesOf(faults: readonly Fault[], { placeOf }: Pick<Given, "placeOf">): string[] {
  const lines = faults.map((fault) => {
    const place = placeOf(fault.seenAt ?? fault.at);
    const line = place === null ? sentenceOf(fault) : `${place}: ${sentenceOf(fault)}`;
    return { line, order: Number(/:(\d+)$/.exec(place ?? "")?.[1] ?? Number.MAX_SAFE_INTEGER) };
  });
  return [...new Set(lines.sort((a, b) => a.order - b.order).map(({ line }) => line))];
}

/** What is connected to. */
const managerOrSelf = (host: string) => managerOf(host) ?? host;

function dockerLoginsOf(
  file: unknown,
  environment: Environment,
): DockerLogins & { faults: Fault[] } {
  try {
    return {
      ...dockerLogins(typeof file === "string" ? file : undefined, environment),
      faults: [],
    };
  } catch (error) {
    const says = `: ${messageOf(error)}`;
    return { registries: {}, notices: [], faults: [{ at: ["dockerConfigFile"], says }] };
  }
}

function withMissing<T>(first: Record<string, T>, others: Record<string, T>): Record<string, T> {
  const missing = Object.entries(others).filter(([name]) => !Object.hasOwn(first, name));
  return { ...first, ...Object.fromEntries(missing) };
}

/** The hosts of pools that may be wrong themselves. */
function hostsNamed(pools: unknown): string[] {
  return tablesOf(pools)
    .flatMap(([, { hosts, swarm }]) => [...(Array.isArray(hosts) ? hosts : []), swarm])
    .filter((host) => typeof host === "string");
}

function defaultDataDir(environment: Environment): string {
  // The first folder that systemd has made for the service, which alone it may write to.
  const [state] = environment["STATE_DIRECTORY"]?.split(":") ?? [];
  if (state) return state;
  if (process.getuid?.() === 0) return "/var/lib/fastlane";
  const base = environment["XDG_DATA_HOME"] ?? join(homedir(), ".local", "share");
  return join(base, "fastlane");
}

function faultOf(issue: v.BaseIssue<unknown>): Fault {
  const at = (issue.path ?? []).map(({ key }) => (typeof key === "number" ? key : String(key)));
  const missing = issue.type === "object" && issue.received === "undefined";
  return { at, says: missing ? "must be given" : issue.message };
}
