import { ClientError } from "./client-error.ts";

/** Where a fastlane is, and what its URL says of who asks. */
export interface ServerUrl {
  /** `http(s)://HOST[:PORT][/PREFIX]`, without credentials and without a slash at its end. */
  url: string;
  /** What stood before the `@`, decoded. */
  login: { user: string; password: string } | null;
}

/** Of the URLs in answers, where the path that the contract knows begins. */
const ROOT = /\/(?:tasks|executions|search)(?=[/?]|$)/;

/**
 * Reads the address of a fastlane as a user gives it.
 *
 * @throws {ClientError} Without the text, which may hold a password.
 */
export function parseServerUrl(text: string): ServerUrl {
  const parsed = URL.parse(text.trim());
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || parsed.hostname === "") {
    throw new ClientError(
      "The URL of the fastlane must be one such as http://127.0.0.1:10000 or https://gate.example/fastlane",
    );
  }
  const { username, password, origin, pathname } = parsed;
  return {
    url: origin + pathname.replace(/\/+$/, ""),
    login:
      username === "" && password === ""
        ? null
        : { user: decoded(username), password: decoded(password) },
  };
}

/**
 * Where to ask for what an answer named. Its URLs are made from `publicUrl` or from what a proxy
 * asked for, and may lead nowhere from here: only their path counts.
 *
 * @param target A path behind the server's own URL (`/tasks/`), or an absolute URL of an answer.
 */
export function urlBehind(server: string, target: string): URL {
  if (!/^https?:\/\//i.test(target)) return new URL(server + target);
  const { pathname, search } = new URL(target);
  const prefix = new URL(server).pathname.replace(/\/$/, "");
  const path = pathname.startsWith(`${prefix}/`) ? pathname.slice(prefix.length) : pathname;
  const begin = path.search(ROOT);
  return new URL(server + path.slice(Math.max(0, begin)) + search);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
