/** What JSON may hold as it is, and a terminal obeys or reads in another direction. */
const CONTROLS = /(?!\n)[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/** JSON for programs, which may be read at a terminal: it holds no control but line ends. */
export function safeJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(
    CONTROLS,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
