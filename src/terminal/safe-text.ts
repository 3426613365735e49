import { ESCAPES, ESCAPES_GO_ON, type EscapeKind } from "../core/escapes.ts";

const ESCAPE = "\u001b";
/** What turns the direction of text, and breaks of lines that are none of a log's. */
const TURNS = /[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const SPECIAL = /[^\P{Cc}\t\n]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;
const MOST_PARAMETERS = 128;

type Mode = "text" | "return" | EscapeKind;

/**
 * Makes what others wrote safe to be shown on a terminal, part by part. Colours and emphasis pass;
 * whatever else would move the cursor, write the clipboard, set the title, answer in the user's name
 * or hide what was written does not. What returned to the line's beginning begins a new line.
 */
export function createSafeText(): (text: string) => string {
  let mode: Mode = "text";
  let parameters = "";

  /** @returns What of a character is shown. */
  const next = (char: string): string => {
    if (mode === "return") {
      mode = "text";
      return `\n${char === "\n" || char === "\r" ? "" : next(char)}`;
    }
    if (char === "\n") {
      // One that is never finished must not swallow the lines behind it.
      mode = "text";
      return char;
    }
    if (mode === "text") {
      const opened = ESCAPES[char];
      if (opened !== undefined) {
        mode = opened;
        // Nobody writes colours with the one-character introducer.
        parameters = char === ESCAPE ? "" : char;
        return "";
      }
      if (char === "\r") {
        mode = "return";
        return "";
      }
      return visible(char);
    }
    if (char === "\u0018" || char === "\u001a" || char === "\u009c") {
      mode = "text";
    } else if (char === ESCAPE) {
      mode = "escape";
    } else if (mode === "osc" || mode === "string") {
      if (mode === "osc" && char === "\u0007") mode = "text";
    } else if (char > "\u007f") {
      mode = "text";
      return next(char);
    } else if (char < " " || char === "\u007f") {
      return "";
    } else if (mode === "escape") {
      parameters = "";
      // Of ESC ( B and its like, the last one ends it.
      mode = ESCAPES_GO_ON[char] ?? (char >= "0" ? "text" : "escape");
    } else if (char < "@") {
      if (parameters.length < MOST_PARAMETERS) parameters += char;
    } else {
      mode = "text";
      if (char === "m" && parameters.length < MOST_PARAMETERS && /^[\d;:]*$/.test(parameters)) {
        return `${ESCAPE}[${parameters}m`;
      }
    }
    return "";
  };

  return (text) => {
    if (mode === "text" && !SPECIAL.test(text)) return text;
    let shown = "";
    for (const char of text) shown += next(char);
    return shown;
  };
}

/** A text of others on one line, without any control. */
export function safeLine(text: string): string {
  return text.replace(/[\p{Cc}]+/gu, " ").replace(TURNS, visible);
}

/** What stands for a character that is not seen, or that would turn round what is seen. */
function visible(char: string): string {
  const code = char.charCodeAt(0);
  if (char === "\t" || (code >= 0x20 && code < 0x7f)) return char;
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return "\u2421";
  if (code <= 0x9f) return "";
  return char.search(TURNS) < 0 ? char : `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`;
}
