import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { readBytes } from "./read-bytes.ts";
import type { RegistryLogin } from "./registries.ts";
import { whyUnreadable } from "./unreadable.ts";

const MOST_BYTES = 1024 * 1024;

const Auth = v.object({
  auth: v.optional(v.string()),
  username: v.optional(v.string()),
  password: v.optional(v.string()),
  identitytoken: v.optional(v.string()),
});
const isNoList = v.check((value: unknown) => !Array.isArray(value));
const DockerConfig = v.object({
  auths: v.optional(v.record(v.string(), Auth), {}),
  credsStore: v.optional(v.string()),
  credHelpers: v.optional(v.record(v.string(), v.string())),
});

export interface DockerLogins {
  /** By the name of the registry that each is for. */
  registries: Record<string, RegistryLogin>;
  /** What of the file is of no use to us, in sentences without a secret. */
  notices: string[];
}

/**
 * The logins that `docker login` has left in its configuration. What keeps passwords elsewhere is
 * not asked: a helper is a program of the user's desktop.
 *
 * @param named The file; the user's own when it is absent, none when it is empty.
 * @throws {Error} If a named file cannot be used. Its text is never quoted: it has passwords in it.
 */
export function dockerLogins(
  named: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): DockerLogins {
  const path = named ?? usersFile(environment);
  if (path === "" || (named === undefined && !existsSync(path))) return NONE;
  try {
    return loginsOf(parsed(path), path);
  } catch (error) {
    if (named !== undefined || !(error instanceof Unusable)) throw error;
    return { ...NONE, notices: [`${error.message}; no login is taken from it`] };
  }
}

const NONE: DockerLogins = { registries: {}, notices: [] };

class Unusable extends Error {}

function usersFile({ DOCKER_CONFIG: folder, HOME: home }: Record<string, string | undefined>) {
  const ofDocker = folder === undefined || folder === "" ? null : folder;
  return join(ofDocker ?? join(home ?? homedir(), ".docker"), "config.json");
}

function parsed(path: string): v.InferOutput<typeof DockerConfig> {
  let text: string;
  try {
    text = readBytes(path, MOST_BYTES).toString("utf8");
  } catch (error) {
    const why = whyUnreadable(error);
    throw new Unusable(`Docker's configuration file "${path}" cannot be read: ${why}`);
  }
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), isNoList, DockerConfig), text);
  if (result.success) return result.output;
  const key = v.getDotPath(result.issues[0]);
  const what = key === null ? "must be a JSON object" : `has a wrong value at ${key}`;
  throw new Unusable(`Docker's configuration file "${path}" ${what}`);
}

function loginsOf(
  { auths, credsStore, credHelpers }: v.InferOutput<typeof DockerConfig>,
  path: string,
): DockerLogins {
  const registries: DockerLogins["registries"] = {};
  const ignored: string[] = [];
  if (credsStore !== undefined) ignored.push("credsStore");
  if (credHelpers !== undefined) ignored.push("credHelpers");
  // The bare name first: it counts before one with a scheme or a path for the same registry.
  const names = Object.keys(auths).sort((a, b) => a.length - b.length);
  for (const name of names) {
    const auth = auths[name] ?? {};
    if (auth.identitytoken !== undefined && auth.identitytoken !== "") {
      ignored.push(`the identitytoken of ${name}`);
      continue;
    }
    const registry = registryNamed(name);
    const login = credentialsOf(auth, `auths.${name} of Docker's configuration file "${path}"`);
    if (login !== null) registries[registry] ??= { registry, ...login };
  }
  const notices =
    ignored.length === 0
      ? []
      : [`Of Docker's configuration file "${path}" are ignored: ${ignored.join(", ")}`];
  return { registries, notices };
}

/** `https://registry.example:5000/v1/` is `registry.example:5000`; Docker Hub has several names. */
export function registryNamed(name: string): string {
  const [host = ""] = name.replace(/^https?:\/\//, "").split("/");
  return host === "index.docker.io" ? "docker.io" : host;
}

/** `null` where there are none: a credsStore leaves the entry empty. */
function credentialsOf(
  { auth = "", username = "", password = "" }: v.InferOutput<typeof Auth>,
  where: string,
): Pick<RegistryLogin, "username" | "password"> | null {
  if (auth === "") return username === "" ? null : { username, password };
  const text = Buffer.from(auth, "base64").toString("utf8").replace(/\0+$/, "");
  const colon = text.indexOf(":");
  if (colon < 1) throw new Unusable(`auth in ${where} must be username:password in base64`);
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}
