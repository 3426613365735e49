import http from "node:http";
import https from "node:https";
import * as v from "valibot";
import type { RegistryLogin } from "../config/registries.ts";
import { messageOf } from "../core/errors.ts";
import { faultWords, isUntrusted } from "../farm/fault-words.ts";

/** What became of a login, tried as an engine would before a pull. */
export type LoginOutcome =
  | { kind: "taken"; isPlain: boolean }
  /** The registry asks nobody for a password. */
  | { kind: "not asked"; isPlain: boolean }
  | { kind: "refused" }
  /** A certificate that this machine does not trust; an engine may, by its own settings. */
  | { kind: "untrusted"; words: string }
  | { kind: "unreachable"; words: string };

const MAX_BYTES = 65_536;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/;
const Token = v.union([
  v.pipe(
    v.object({ token: v.string() }),
    v.transform(({ token }) => token),
  ),
  v.pipe(
    v.object({ access_token: v.string() }),
    v.transform(({ access_token: token }) => token),
  ),
]);

export function isLoopbackRegistry(registry: string): boolean {
  return LOOPBACK.test(registry);
}

/** Asks `/v2/` of a login's registry with that login. Nothing is pulled. */
export async function tryLogin(login: RegistryLogin, signal: AbortSignal): Promise<LoginOutcome> {
  const host = login.registry === "docker.io" ? "registry-1.docker.io" : login.registry;
  try {
    return await attempt(`https://${host}/v2/`, login, signal);
  } catch (error) {
    if (isUntrusted(error)) return { kind: "untrusted", words: wordsOf(error) };
    // As an engine does it with registries that it is told to trust, and those on loopback.
    const plain = await attemptPlainly(host, login, signal);
    return plain ?? { kind: "unreachable", words: wordsOf(error) };
  }
}

/** `null` where nobody speaks plain HTTP. The login goes that way on this machine alone. */
async function attemptPlainly(
  host: string,
  login: RegistryLogin,
  signal: AbortSignal,
): Promise<LoginOutcome | null> {
  const url = `http://${host}/v2/`;
  try {
    if (isLoopbackRegistry(host)) return await attempt(url, login, signal);
    const { status } = await ask(url, {}, signal);
    return isRegistry(status) ? { kind: "not asked", isPlain: true } : null;
  } catch {
    return null;
  }
}

const isRegistry = (status: number) => status === 200 || status === 401;

async function attempt(
  url: string,
  login: RegistryLogin,
  signal: AbortSignal,
): Promise<LoginOutcome> {
  const isPlain = url.startsWith("http:");
  const first = await ask(url, {}, signal);
  if (first.status === 200) return { kind: "not asked", isPlain };
  if (first.status !== 401) {
    return { kind: "unreachable", words: `it answers ${first.status}, as no registry does` };
  }
  const basic = `Basic ${Buffer.from(`${login.username}:${login.password}`).toString("base64")}`;
  const realm = realmOf(first.challenge, login.username);
  let authorization = basic;
  if (realm !== null) {
    if (realm.protocol !== "https:" && !isLoopbackRegistry(realm.host)) {
      return { kind: "unreachable", words: "it wants the password sent in clear text" };
    }
    const answer = await ask(realm.href, { authorization: basic }, signal);
    if (answer.status === 401 || answer.status === 403) return { kind: "refused" };
    const token = v.safeParse(v.pipe(v.string(), v.parseJson(), Token), answer.body);
    if (answer.status !== 200 || !token.success) {
      const words = `its token server ${realm.host} answers ${answer.status} without a token`;
      return { kind: "unreachable", words };
    }
    authorization = `Bearer ${token.output}`;
  }
  const { status } = await ask(url, { authorization }, signal);
  if (status === 200) return { kind: "taken", isPlain };
  if (status === 401 || status === 403) return { kind: "refused" };
  return { kind: "unreachable", words: `it answers ${status} to a login` };
}

/** Where a token is asked for; `null` where the password itself is asked for. */
function realmOf(challenge: string, account: string): URL | null {
  if (!/^bearer\s/i.test(challenge)) return null;
  const parameters = new Map(
    [...challenge.matchAll(/([a-z]+)="([^"]*)"/gi)].map(([, name = "", value = ""]) => [
      name.toLowerCase(),
      value,
    ]),
  );
  const url = URL.parse(parameters.get("realm") ?? "");
  if (url === null || !/^https?:$/.test(url.protocol)) return null;
  url.searchParams.set("account", account);
  url.searchParams.set("service", parameters.get("service") ?? "");
  return url;
}

interface Answer {
  status: number;
  challenge: string;
  body: string;
}

/** One GET; it follows no redirect, which would carry a password elsewhere. */
async function ask(
  url: string,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const get = url.startsWith("https:") ? https.get : http.get;
  const request = get(url, { headers, signal, agent: false }, (response) => {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    const done = () =>
      resolve({
        status: response.statusCode ?? 0,
        challenge: String(response.headers["www-authenticate"] ?? ""),
        body: Buffer.concat(chunks).toString("utf8"),
      });
    response.on("data", (chunk: Uint8Array) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes <= MAX_BYTES) return;
      done();
      request.destroy();
    });
    response.on("end", done);
    response.on("error", reject);
  });
  request.on("error", reject);
  return await promise;
}

const wordsOf = (error: unknown) => faultWords(error) ?? messageOf(error);
