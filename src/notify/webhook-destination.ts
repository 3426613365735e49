import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { barOf } from "./webhook-address.ts";
import { Refused } from "./webhook-fault-words.ts";

/** All addresses of a name. Rejects with the resolver's error when there are none. */
export type Resolve = (name: string) => Promise<string[]>;

export interface Destination {
  url: URL;
  /** The URL's host without brackets, a name or an address. */
  host: string;
  port: number;
  /** Where it may be connected to; never empty. */
  addresses: string[];
}

/** As the system resolves names, /etc/hosts among it. */
export const resolveBySystem: Resolve = async (name) =>
  (await lookup(name, { all: true, order: "verbatim" })).map(({ address }) => address);

/**
 * Resolves a URL's host, once: what is connected to afterwards is one of the addresses given here,
 * so that a name cannot point elsewhere after it was judged.
 *
 * @throws {Refused} If the URL can be none, or leads only to addresses that webhooks must not reach.
 */
export async function destinationOf(
  text: string,
  allowPrivate: boolean,
  resolve: Resolve,
): Promise<Destination> {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new Refused("The URL of the webhook is none of http or https");
  }
  if (url.username !== "" || url.password !== "") {
    throw new Refused("The URL of the webhook has a user or password in it");
  }
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const found = isIP(host) === 0 ? await resolve(host) : [host];
  const addresses = found.filter((address) => isOpen(address, allowPrivate));
  if (addresses.length === 0) throw new Refused(whyNone(host, found));
  return { url, host, port: Number(url.port) || (url.protocol === "https:" ? 443 : 80), addresses };
}

function isOpen(address: string, allowPrivate: boolean): boolean {
  const bar = barOf(address);
  return bar === null || (bar.isPrivate && allowPrivate);
}

function whyNone(host: string, found: readonly string[]): string {
  const [address] = found;
  if (address === undefined) return `There is no address for ${host}`;
  const { words, isPrivate } = barOf(address) ?? { words: "an address", isPrivate: false };
  const which = address === host ? `${address} is ${words}` : `${host} is at ${address}, ${words}`;
  return isPrivate
    ? `${which}: webhooks go there only when webhooksAllowPrivate is true`
    : `${which}: webhooks never go there, whatever webhooksAllowPrivate says`;
}
