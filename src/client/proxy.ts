import { BlockList, isIP } from "node:net";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy through which a URL is asked for: `HTTPS_PROXY` or `HTTP_PROXY`, else `ALL_PROXY`, also
 * in small letters, unless `NO_PROXY` names its host. What is on this machine is asked directly.
 *
 * @returns `null` where there is none.
 */
export function proxyFor(url: URL, environment: Environment): string | null {
  const name = url.protocol === "https:" ? "https_proxy" : "http_proxy";
  const proxy = variable(environment, name) ?? variable(environment, "all_proxy");
  if (proxy === null || isExcepted(url, variable(environment, "no_proxy") ?? "")) return null;
  return proxy.includes("://") ? proxy : `http://${proxy}`;
}

function variable(environment: Environment, name: string): string | null {
  const value = environment[name] ?? environment[name.toUpperCase()] ?? "";
  return value === "" ? null : value;
}

/** By Go's rules, which are those of docker and kubectl: names with their subdomains, addresses, networks, ports. */
function isExcepted(url: URL, exceptions: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, "").toLowerCase();
  if (host === "localhost" || host.endsWith(".localhost") || isLoopback(host)) return true;
  const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
  return exceptions
    .split(/[\s,]+/)
    .filter((text) => text !== "")
    .some((text) => excepts(text.toLowerCase(), host, port));
}

function excepts(exception: string, host: string, port: string): boolean {
  if (exception === "*") return true;
  if (exception.includes("/")) return networkHas(exception, host);
  const [, name = exception, ofPort] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(
    isIP(exception) === 6 ? `[${exception}]` : exception,
  ) ?? [exception];
  if (ofPort !== undefined && ofPort !== port) return false;
  const domain = name.replace(/^\*?\./, "");
  const isOnlyBelow = name !== domain;
  return (!isOnlyBelow && host === domain) || (isIP(host) === 0 && host.endsWith(`.${domain}`));
}

function isLoopback(host: string): boolean {
  return host === "::1" || networkHas("127.0.0.0/8", host);
}

function networkHas(network: string, host: string): boolean {
  const [address = "", bits = ""] = network.split("/");
  const [family, ofHost] = [isIP(address), isIP(host)];
  if (family === 0 || family !== ofHost || !/^\d{1,3}$/.test(bits)) return false;
  if (Number(bits) > (family === 6 ? 128 : 32)) return false;
  const list = new BlockList();
  list.addSubnet(address, Number(bits), family === 6 ? "ipv6" : "ipv4");
  return list.check(host, family === 6 ? "ipv6" : "ipv4");
}
