/** A Docker endpoint as the configuration names it. */
export type Endpoint =
  | { kind: "unix"; path: string }
  /** The name of a machine or its address, an IPv6 one without brackets. */
  | { kind: "tcp"; name: string; port: number };

/** `host:port` is the form of the original configuration, and means `tcp://host:port`. */
const TCP = /^(?:tcp:\/\/)?(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/;
const UNIX = /^unix:\/\/(\/.+)$/;

/** @returns `null` when the text names no endpoint that fastlane can use. */
export function parseHostName(text: string): Endpoint | null {
  const path = UNIX.exec(text)?.[1];
  if (path !== undefined) return { kind: "unix", path };
  const [, name, port] = TCP.exec(text) ?? [];
  if (name === undefined || Number(port) < 1 || Number(port) > 65_535) return null;
  return { kind: "tcp", name: name.replace(/^\[|\]$/g, ""), port: Number(port) };
}

/** A host in the two keys that the API's users know: name and port, or the whole text and `null`. */
export function hostAndPort(text: string): { host: string; port: number | null } {
  const endpoint = parseHostName(text);
  if (endpoint?.kind !== "tcp") return { host: text, port: null };
  return { host: endpoint.name, port: endpoint.port };
}
