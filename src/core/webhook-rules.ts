/** The methods that a webhook may have; POST where it says none. */
export const WEBHOOK_METHODS = ["POST", "PUT", "PATCH", "GET", "DELETE"] as const;

const MAX_HEADERS = 50;
const MAX_VALUE = 4_000;
/** Names that a webhook may not set: whom it is for, the connection's own, and the signature's. */
const NOT_THEIRS_TO_SET =
  /^(host|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|content-length|expect|webhook-.*)$/i;

export const HEADERS_WRONG =
  "must be an object of strings, of 50 at most: names of headers without Host and those of the connection, values in one line";
export const WEBHOOK_URL_WRONG = "must be an http(s) URL without user and password";

export const SECRET_WRONG = "must be a text that is not empty, and behind whsec_ base64";

/** Whether a webhook can be signed by it: `whsec_` and base64, or any other text. */
export function isWebhookSecret(text: string): boolean {
  if (!text.startsWith("whsec_")) return text !== "";
  return /^(?=.)(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/.test(
    text.slice(6),
  );
}

export function isWebhookUrl(text: string): boolean {
  const url = URL.parse(text);
  return (
    url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === ""
  );
}

/** What of a URL is no secret: the path of many a webhook is one. */
export function originOf(url: string): string {
  return URL.parse(url)?.origin ?? "";
}

/** Whether these are headers that a user may set. */
export function areHeaders(value: unknown): value is Record<string, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const entries: [string, unknown][] = Object.entries(value);
  return (
    entries.length <= MAX_HEADERS &&
    entries.every(
      ([name, text]) =>
        isHeaderName(name) &&
        typeof text === "string" &&
        text.length <= MAX_VALUE &&
        isHeaderValue(text),
    )
  );
}

/** Whether a user may give a webhook a header of that name. */
export function isHeaderName(name: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}$/.test(name) && !NOT_THEIRS_TO_SET.test(name);
}

/** Whether a text can be a header's value: one line of Latin-1. */
export function isHeaderValue(text: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(text);
}
