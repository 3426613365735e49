import { isIP } from "node:net";
import ipaddr, { type IPv4, type IPv6 } from "ipaddr.js";

/** Why no webhook goes to an address, or only with `webhooksAllowPrivate`. */
export interface Bar {
  /** As in "10.0.0.7 is a private address". */
  words: string;
  /** Whether `webhooksAllowPrivate` opens the way. */
  isPrivate: boolean;
}

const PRIVATE: Record<string, string> = {
  loopback: "a loopback address",
  private: "a private address",
  carrierGradeNat: "an address behind a carrier's NAT",
  uniqueLocal: "a private address",
  deprecatedSiteLocal: "a private address",
};
const NEVER: Record<string, string> = {
  unspecified: "the unspecified address",
  linkLocal: "a link-local address",
  multicast: "a multicast address",
  broadcast: "the broadcast address",
};
const RESERVED: Bar = { words: "a reserved address", isPrivate: false };
const METADATA: Bar = { words: "the address of a cloud's metadata", isPrivate: false };

/**
 * Where clouds hand out their machines' credentials, apart from 169.254.0.0/16, by any private network
 * or, at Azure, at a public address: Alibaba, Azure, AWS, Google, Oracle, Scaleway.
 */
const METADATA_RANGES = [
  ...["100.100.100.200/32", "168.63.129.16/32", "fd00:ec2::/32"],
  ...["fd20:ce::254/128", "fd00:c1::a9fe:a9fe/128", "fd00:42::42/128"],
].map((range) => ipaddr.parseCIDR(range));

const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR("2000::/3");
const LOCAL_NAT64 = ipaddr.IPv6.parseCIDR("64:ff9b:1::/48");

/**
 * What keeps a webhook from an address. A form of IPv6 that leads to an IPv4 address is judged by that.
 *
 * @returns `null` for one that anybody on the internet may be called at.
 */
export function barOf(text: string): Bar | null {
  if (isIP(text) === 0) return { words: "no address", isPrivate: false };
  const address = ipaddr.parse(text);
  if (METADATA_RANGES.some((range) => isWithin(address, range))) return METADATA;
  if (address.kind() === "ipv6") {
    const inner = innerOf(address as IPv6);
    if (inner.length > 0) return worst(inner.map((bytes) => barOf(bytes.join("."))));
  }
  const range = address.range();
  const never = NEVER[range];
  if (never !== undefined) return { words: never, isPrivate: false };
  const words = PRIVATE[range];
  if (words !== undefined) return { words, isPrivate: true };
  if (range !== "unicast") return RESERVED;
  // Most of IPv6 is set aside for the future, and ipaddr.js calls it unicast.
  return address.kind() === "ipv6" && !address.match(GLOBAL_UNICAST) ? RESERVED : null;
}

/** The IPv4 addresses that an IPv6 address leads to, as bytes. */
function innerOf(address: IPv6): number[][] {
  const bytes = address.toByteArray();
  const last = bytes.slice(12);
  switch (address.range()) {
    case "ipv4Mapped":
    case "rfc6145":
      return [last];
    case "rfc6052":
      return address.match(LOCAL_NAT64) ? [] : [last];
    case "6to4":
      return [bytes.slice(2, 6)];
    case "teredo":
      // Its server, and its client in the negative.
      return [bytes.slice(4, 8), last.map((byte) => byte ^ 0xff)];
    case "unicast":
      return bytes.slice(0, 12).every((byte) => byte === 0) ? [last] : [];
    default:
      return [];
  }
}

function worst(bars: readonly (Bar | null)[]): Bar | null {
  return bars.find((bar) => bar?.isPrivate === false) ?? bars.find((bar) => bar !== null) ?? null;
}

function isWithin(address: IPv4 | IPv6, [range, bits]: [IPv4 | IPv6, number]): boolean {
  return address.kind() === range.kind() && address.match(range, bits);
}
