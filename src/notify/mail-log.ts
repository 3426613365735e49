import { stripVTControlCharacters } from "node:util";

const MAX_LOG_BYTES = 10 * 1_024;
/** What may be left out for the sake of beginning with a whole line. */
const MAX_PART_OF_LINE = 1_024;

/**
 * Text as a mail can show it: terminals' colours and movements are gone, every other control
 * character but line end and tab stands there as a sign for it, and nothing turns the direction of
 * what is around it.
 */
function visibleText(text: string): string {
  return stripVTControlCharacters(text.toWellFormed())
    .replace(/\r+\n/g, "\n")
    .replace(/[^\P{Cc}\n\t]|[\p{Bidi_Control}\u2028\u2029\ufeff]/gu, signOf);
}

/** The same in one line, of a limited number of characters. */
export function visibleLine(text: string, maxLength = 1_000): string {
  const line = visibleText(text).replace(/\s+/g, " ").trim();
  return line.length <= maxLength ? line : `${line.slice(0, maxLength).toWellFormed()}...`;
}

/**
 * The last lines of a log, 10 KiB of them at most.
 *
 * @param isTruncated Whether the log had more in front already.
 */
export function endOfLog(log: string, isTruncated: boolean): { text: string; isWhole: boolean } {
  const text = visibleText(log).replace(/\n+$/, "");
  const bytes = Buffer.from(text);
  if (bytes.length <= MAX_LOG_BYTES) return { text, isWhole: !isTruncated };
  const end = bytes.subarray(-MAX_LOG_BYTES);
  const nextLine = end.indexOf("\n") + 1;
  const isNear = nextLine > 0 && nextLine <= MAX_PART_OF_LINE;
  // A longer line is cut between two characters.
  const begin = isNear ? nextLine : end.findIndex((byte) => (byte & 0xc0) !== 0x80);
  return { text: end.subarray(begin).toString(), isWhole: false };
}

/** Unicode has signs for the controls of ASCII; the others are named. */
function signOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return "\u{2421}";
  return `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`;
}
