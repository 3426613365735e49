import { createHmac, timingSafeEqual } from "node:crypto";

interface HostKey {
  /** `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa` and the like. */
  type: string;
  key: Buffer;
}

/** What a known_hosts file says about one host. */
export interface KnownHost {
  trusted: readonly HostKey[];
  /** Refused, even where they are trusted as well. */
  revoked: readonly HostKey[];
}

export type KeyVerdict = "trusted" | "revoked" | "other";

/**
 * Reads the entries of one host from a known_hosts file as sshd(8) describes it. Lines that cannot
 * be read, and authorities for certificates of hosts, count for nothing.
 */
export function knownHost(file: string, name: string, port: number): KnownHost {
  const sought = soughtName(name, port);
  const trusted: HostKey[] = [];
  const revoked: HostKey[] = [];
  for (const line of file.split("\n")) {
    const words = line.trim().split(/\s+/);
    const marker = words[0]?.startsWith("@") ? words.shift() : undefined;
    const [patterns = "", type = "", encoded = ""] = words;
    if (patterns.startsWith("#") || encoded === "" || !isFor(patterns, sought)) continue;
    const key = { type, key: Buffer.from(encoded, "base64") };
    if (marker === undefined) trusted.push(key);
    else if (marker === "@revoked") revoked.push(key);
  }
  return { trusted, revoked };
}

/** The name under which the file has a host: with the port where that is not ssh's own. */
export function soughtName(name: string, port: number): string {
  return port === 22 ? name.toLowerCase() : `[${name.toLowerCase()}]:${port}`;
}

/** @param key As the host shows it: the type is a part of it. */
export function verdictOn(known: KnownHost, key: Buffer): KeyVerdict {
  const isAmong = (keys: readonly HostKey[]) => keys.some((one) => one.key.equals(key));
  if (isAmong(known.revoked)) return "revoked";
  return isAmong(known.trusted) ? "trusted" : "other";
}

function isFor(patterns: string, sought: string): boolean {
  if (patterns.startsWith("|")) return isHashOf(patterns, sought);
  const all = patterns.toLowerCase().split(",");
  const [against, plain] = [true, false].map((negated) =>
    all.filter((pattern) => pattern.startsWith("!") === negated),
  );
  const fits = (pattern: string) => expressionOf(pattern).test(sought);
  return !against?.some((pattern) => fits(pattern.slice(1))) && (plain?.some(fits) ?? false);
}

/** `|1|salt|hash`: so that whoever reads the file does not learn the names. */
function isHashOf(entry: string, sought: string): boolean {
  const [, version, salt = "", hash = ""] = entry.split("|");
  if (version !== "1") return false;
  const expected = Buffer.from(hash, "base64");
  const found = createHmac("sha1", Buffer.from(salt, "base64")).update(sought).digest();
  return expected.length === found.length && timingSafeEqual(expected, found);
}

/** `*` is any number of characters, `?` is one; brackets are those around a name with a port. */
function expressionOf(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`);
}
