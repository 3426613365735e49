import { existsSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import type { Path } from "./fault.ts";
import { type FileLayer, readConfigFile } from "./file-layer.ts";
import { inheritedSocket } from "./inherited-socket.ts";
import { notesOf } from "./key.ts";
import { ConfigSchema } from "./schema.ts";

const PREFIX = "FASTLANE_";
/** Read by the command line, and by the project's own scripts and tests. */
const NO_KEY = /^FASTLANE_(CONFIG|URL|TOKEN|CA_FILE|TEST_.*)$/;
/** An empty variable is as none, but for these keys. */
const EMPTY_SAYS_SOMETHING = new Set(["dockerConfigFile"]);

/** Variables that others have named, each with its key; of two for one key the last counts. */
const OTHERS_NAMES: Readonly<Record<string, string>> = {
  DATABASE_URL: "databaseUrl",
  OTEL_EXPORTER_OTLP_ENDPOINT: "otlpEndpoint",
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "otlpTracesEndpoint",
  OTEL_EXPORTER_OTLP_HEADERS: "otlpHeaders",
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: "otlpHeaders",
  OTEL_SERVICE_NAME: "otlpServiceName",
};

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Sources {
  environment: Environment;
  /** Keys that were given as flags, with their texts. */
  flags: Readonly<Record<string, string | boolean | undefined>>;
  configFile: string | undefined;
}

/** What was said in one place, such as the file. */
interface Layer {
  values: Record<string, unknown>;
  /** For the user: `FILE:3`, `FASTLANE_PORT`, `--port`. */
  placeOf(path: Path): string;
}

/** What was said in all places together. */
export interface Given {
  values: Record<string, unknown>;
  /** @returns `null` for a key that was given nowhere. */
  placeOf(path: Path): string | null;
  file: FileLayer | null;
}

/** Secrets that may stand in a file as well, each with the key that names the file. */
const SECRETS = Object.entries(ConfigSchema.entries).flatMap(([name, schema]) => {
  const { insteadOf } = notesOf(schema);
  return insteadOf === undefined ? [] : [[insteadOf, name] as const];
});

/** What a credential may be called, to count with nothing said in the configuration. */
export const CREDENTIALS: readonly string[] = SECRETS.map(([name]) => name);

/**
 * Flags over environment over file over credentials of systemd. Where a socket was handed over, it
 * alone says where it listens.
 *
 * @throws {ConfigError} Where there is no reading the file, or no using the socket.
 */
export function gather(sources: Sources): Given {
  const named = sources.configFile ?? sources.environment["FASTLANE_CONFIG"];
  const file = readConfigFile(named === "" ? undefined : named);
  const layers: Layer[] = [
    fromCredentials(sources.environment),
    ...(file === null ? [] : [file]),
    fromEnvironment(sources.environment),
    fromFlags(sources.flags),
    fromSystemd(sources.environment),
  ];
  const givenBy = new Map<string, Layer>();
  for (const layer of layers) {
    for (const key of Object.keys(layer.values)) {
      for (const pair of SECRETS) {
        // A secret that is said here counts over one that stands in a file of a lower layer.
        if (pair.includes(key)) for (const either of pair) givenBy.delete(either);
      }
    }
    for (const key of Object.keys(layer.values)) givenBy.set(key, layer);
  }
  const values = Object.fromEntries(
    [...givenBy].map(([key, layer]) => [key, layer.values[key]] as const),
  );
  const placeOf = (path: Path) => givenBy.get(String(path[0]))?.placeOf(path) ?? null;
  return { values, placeOf, file };
}

/** A credential that is named like a secret is that secret, with nothing said in the configuration. */
function fromCredentials({ CREDENTIALS_DIRECTORY: folder }: Environment): Layer {
  const there = SECRETS.filter(([name]) => folder && existsSync(join(folder, name)));
  return {
    values: Object.fromEntries(there.map(([name, file]) => [file, name])),
    placeOf: ([key]) => `credential ${there.find(([, file]) => file === key)?.[0]}`,
  };
}

function fromEnvironment(environment: Environment): Layer {
  const values: Record<string, unknown> = {};
  const variables: Record<string, string> = {};
  const isWithoutTraces = environment["OTEL_SDK_DISABLED"]?.toLowerCase() === "true";
  for (const [name, key] of Object.entries(OTHERS_NAMES)) {
    const text = environment[name];
    if (text === undefined || text === "" || (isWithoutTraces && name !== "DATABASE_URL")) continue;
    values[key] = text;
    variables[key] = name;
  }
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith(PREFIX) || NO_KEY.test(name) || text === undefined) continue;
    const key = keyOfVariable(name);
    if (text === "" && !EMPTY_SAYS_SOMETHING.has(key)) continue;
    values[key] = fromText(key, text);
    variables[key] = name;
  }
  return { values, placeOf: ([key = ""]) => variables[key] ?? "" };
}

function fromFlags(flags: Sources["flags"]): Layer {
  const given = Object.entries(flags).filter(([, value]) => value !== undefined);
  return {
    values: Object.fromEntries(
      given.map(([key, value]) => [key, typeof value === "string" ? fromText(key, value) : value]),
    ),
    placeOf: ([key = ""]) =>
      `--${String(key).replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
  };
}

function fromSystemd(environment: Environment): Layer {
  const socket = inheritedSocket(environment);
  return {
    values: socket === null ? {} : { host: socket.host, port: socket.port },
    placeOf: () => "LISTEN_FDS",
  };
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
  if (!Object.hasOwn(ConfigSchema.entries, key)) return text;
  const entry = ConfigSchema.entries[key as keyof typeof ConfigSchema.entries];
  const takesText = v.safeParse(entry, text).success;
  if (takesText) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
