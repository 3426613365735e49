import { domainToASCII } from "node:url";
import addressparser from "nodemailer/lib/addressparser";

/** Nothing that ends a header or a command, or lists a second address. */
const ADDRESS = /^[^\s\p{Cc}@<>()[\]\\,;:"]+@[^\s\p{Cc}@<>()[\]\\,;:"]+$/u;
const MAX_LENGTH = 254;

export function isAddress(text: string): boolean {
  return text.length <= MAX_LENGTH && ADDRESS.test(text);
}

/**
 * Reads a sender such as `fastlane <fastlane@example.com>` or `fastlane@example.com`.
 *
 * @returns `null` when the text is not exactly one.
 */
export function senderOf(text: string): { name: string; address: string } | null {
  const [first, ...others] = addressparser(text);
  if (first?.address === undefined || others.length > 0) return null;
  if (/\p{Cc}/u.test(text) || !isAddress(first.address)) return null;
  return { name: first.name, address: first.address };
}

/** In ASCII, as identifiers want it. */
export function domainOf(address: string): string {
  const domain = address.slice(address.lastIndexOf("@") + 1);
  return domainToASCII(domain) || "localhost";
}
