/** Names that a webhook may not set: whom it is for, the connection's own, and the signature's. */
const NOT_THEIRS_TO_SET =
  /^(host|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|content-length|expect|webhook-.*)$/i;

/** Whether a user may give a webhook a header of that name. */
export function isHeaderName(name: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}$/.test(name) && !NOT_THEIRS_TO_SET.test(name);
}

/** Whether a text can be a header's value: one line of Latin-1. */
export function isHeaderValue(text: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(text);
}
