import { managerOf } from "./swarm-name.ts";

/** A Docker endpoint as the configuration names it; an IPv6 address is without its brackets. */
export type Endpoint =
  | { kind: "unix"; path: string }
  | { kind: "tcp" | "https"; name: string; port: number }
  | { kind: "ssh"; user: string; name: string; port: number };

export type SshEndpoint = Extract<Endpoint, { kind: "ssh" }>;

export const HOST_NAME_FORMS =
  "unix:///path/to/docker.sock, tcp://name:port, https://name:port, ssh://user@name or name:port";

const UNIX = /^unix:\/\/(\/.+)$/;
/** `name:port` is the form of the original configuration, and means `tcp://name:port`. */
const NETWORK =
  /^(?:(tcp|https|ssh):\/\/)?(?:([^@:/\s]+)@)?(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_][A-Za-z0-9._-]*)(?::(\d{1,5}))?$/;
const DEFAULT_PORTS: Record<string, number> = { https: 2376, ssh: 22 };

/** @returns `null` when the text names no endpoint that fastlane can use. */
export function parseHostName(text: string): Endpoint | null {
  const path = UNIX.exec(text)?.[1];
  if (path !== undefined) return { kind: "unix", path };
  const [, kind = "tcp", user, bracketed, digits] = NETWORK.exec(text) ?? [];
  const port = Number(digits ?? DEFAULT_PORTS[kind]);
  if (bracketed === undefined || !(port >= 1 && port <= 65_535)) return null;
  const name = bracketed.replace(/^\[|\]$/g, "");
  if (kind === "ssh") return user === undefined ? null : { kind, user, name, port };
  if (user !== undefined) return null;
  return { kind: kind === "https" ? kind : "tcp", name, port };
}

/** A host in the two keys that the API's users know: name and port, or the whole text and `null`. */
export function hostAndPort(text: string): { host: string; port: number | null } {
  const endpoint = parseHostName(managerOf(text) ?? text);
  if (endpoint?.kind !== "tcp" && endpoint?.kind !== "https") return { host: text, port: null };
  return { host: endpoint.name, port: endpoint.port };
}
