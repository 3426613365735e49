import { BlockList, isIP } from "node:net";
import type { HttpContext, HttpDeps } from "./context.ts";

type UrlDeps = Pick<HttpDeps, "publicUrl" | "trustedProxies">;

/** The absolute URLs of answers, in the forms that the reference gives each of them. */
export interface Urls {
  /** Any other: a path with its query. */
  path(path: string): string;
  task(taskId: string): string;
  job(taskId: string, jobId: string): string;
  execution(taskId: string, jobId: string, executionId: string): string;
}

export function urlsOf(deps: UrlDeps, c: HttpContext): Urls {
  const base = baseUrl(deps, c);
  const task = (taskId: string) => `${base}/tasks/${encodeURIComponent(taskId)}`;
  return {
    path: (path) => base + path,
    task,
    job: (taskId, jobId) => `${task(taskId)}/jobs/${jobId}`,
    execution: (taskId, jobId, executionId) =>
      `${task(taskId)}/jobs/${jobId}/executions/${executionId}/`,
  };
}

/** The configured URL, else what the client asked for; a proxy's word counts when it is trusted. */
function baseUrl({ publicUrl, trustedProxies }: UrlDeps, c: HttpContext): string {
  if (publicUrl !== undefined) return publicUrl.replace(/\/+$/, "");
  const asked = c.req.url;
  if (!isTrusted(trustedProxies, c.env.peerAddress)) {
    return asked.slice(0, asked.indexOf("/", asked.indexOf("//") + 2));
  }
  const url = new URL(asked);
  const protocol = c.req.header("x-forwarded-proto")?.split(",")[0]?.trim();
  const host = c.req.header("x-forwarded-host")?.split(",")[0]?.trim();
  const forwarded = URL.parse(`${protocol ?? url.protocol.slice(0, -1)}://${host ?? url.host}`);
  return forwarded !== null && /^https?:$/.test(forwarded.protocol) ? forwarded.origin : url.origin;
}

/** Who asked: X-Real-IP, else the first X-Forwarded-For, else the peer. */
export function requestIp({ trustedProxies }: UrlDeps, c: HttpContext): string {
  const peer = c.env.peerAddress;
  if (trustedProxies.length > 0 && !isTrusted(trustedProxies, peer)) return peer;
  const claimed =
    c.req.header("x-real-ip") ?? c.req.header("x-forwarded-for")?.split(",")[0]?.trim() ?? "";
  return isIP(claimed) === 0 ? peer : claimed;
}

/**
 * The same where it must not be made up. Anybody may write anything in these headers: so they count
 * only from a proxy that is trusted, and of a list the last address that is not a proxy's. Many
 * proxies write one of the two and pass on the other as it came: where they disagree, none counts.
 */
export function provenIp({ trustedProxies }: Pick<UrlDeps, "trustedProxies">, c: HttpContext) {
  const peer = c.env.peerAddress;
  if (!isTrusted(trustedProxies, peer)) return peer;
  const lastOf = (header: string) =>
    (c.req.header(header) ?? "")
      .split(",")
      .map((address) => address.trim())
      .findLast((address) => address !== "" && !isTrusted(trustedProxies, address));
  const [said = "", other = said] = [lastOf("x-real-ip"), lastOf("x-forwarded-for")].filter(
    (address) => address !== undefined,
  );
  return isIP(said) !== 0 && said === other ? said : peer;
}

function isTrusted(trustedProxies: readonly string[], peer: string): boolean {
  if (trustedProxies.length === 0 || isIP(peer) === 0) return false;
  const list = blockLists.get(trustedProxies) ?? blockListOf(trustedProxies);
  blockLists.set(trustedProxies, list);
  return list.check(peer, isIP(peer) === 6 ? "ipv6" : "ipv4");
}

/** Made once of each list: a request may name many addresses. */
const blockLists = new WeakMap<readonly string[], BlockList>();

function blockListOf(trustedProxies: readonly string[]): BlockList {
  const list = new BlockList();
  for (const proxy of trustedProxies) {
    const [address = "", bits] = proxy.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    if (isIP(address) === 0) continue;
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}
