import { type IncomingHttpHeaders, STATUS_CODES } from "node:http";

const MAX_RETRY_AFTER_SECONDS = 86_400;
const MAX_LOCATION_LENGTH = 300;

/** A sentence for an answer that was no success. */
export function statusWords(status: number, { location }: IncomingHttpHeaders, url: URL): string {
  const reason = STATUS_CODES[status];
  const answered = `The receiver answered ${status}${reason === undefined ? "" : ` ${reason}`}`;
  if (status === 101) return `${answered}, as to a request that was none of fastlane's`;
  if (status < 300 || status > 399 || location === undefined) return answered;
  return `${answered} and points to ${pointedTo(location, url)}: webhooks follow no redirects`;
}

/** Without the query, a user or a password, which may be secrets. */
function pointedTo(location: string, from: URL): string {
  const to = URL.parse(location, from.href);
  if (to === null) return "what is no URL";
  const shown = `${to.protocol}//${to.host}${to.pathname}`;
  return shown.length > MAX_LOCATION_LENGTH ? `${shown.slice(0, MAX_LOCATION_LENGTH)}...` : shown;
}

/**
 * Reads a Retry-After, as seconds or as a date.
 *
 * @returns From 0 to a day, whatever it says; `null` where it says nothing.
 */
export function retryAfterSeconds(text: string | undefined, now: Date): number | null {
  if (text === undefined) return null;
  const seconds = /^\d+$/.test(text)
    ? Number(text)
    : // HTTP's dates are all in GMT; `Date` reads much else.
      /^[A-Z][a-z]+, .+ GMT$/.test(text)
      ? Math.ceil((Date.parse(text) - now.getTime()) / 1_000)
      : Number.NaN;
  return Number.isNaN(seconds) ? null : Math.min(Math.max(seconds, 0), MAX_RETRY_AFTER_SECONDS);
}
