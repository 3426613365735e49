import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** So many wrong ones in a row cost nothing: people mistype. */
const FREE_FAILURES = 4;
const LONGEST_SECONDS = 60;

/**
 * How long an address waits that has given wrong credentials: 1 s after the fifth in a row, then
 * twice as long after each, 60 s at most.
 *
 * @param failures In a row.
 */
export function slowDownSeconds(failures: number): number {
  if (failures <= FREE_FAILURES) return 0;
  return Math.min(LONGEST_SECONDS, 2 ** Math.min(failures - FREE_FAILURES - 1, 10));
}

/** What counts as one address: of IPv6 a whole /64, which is what one client has. */
export function addressGroup(address: string): string {
  if (isIP(address) === 0) return address;
  const parsed = ipaddr.process(address);
  if (!(parsed instanceof ipaddr.IPv6)) return parsed.toString();
  return parsed.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(":");
}
