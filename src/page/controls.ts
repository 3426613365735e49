/** All controls but the tab; those that turn the direction of text; and other breaks of a line. */
export const SPECIAL = /[^\P{Cc}\t]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

const NAMES =
  "NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US".split(
    " ",
  );
const DELETE = 0x7f;

/** What stands for a character that is not seen, or that would turn round what is seen: its name. */
export function visibleControl(char: string): string {
  const code = char.charCodeAt(0);
  if (code === DELETE) return "DEL";
  return NAMES[code] ?? `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}
