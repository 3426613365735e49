import { safeLine } from "./safe-text.ts";

/** Where decoration goes; what it needs of `process.stderr`. */
interface TerminalOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** One line at the bottom of a terminal that is drawn anew, and wiped before anything else is written. */
export interface StatusLine {
  /** @param text `null` for none. */
  show(text: string | null): void;
  /** Stands in place of what is shown until it is `null` again. */
  ask(text: string | null): void;
  /** Something else is about to be written. */
  wipe(): void;
  /** Something else was written: the line is drawn again where it would overwrite nothing. */
  wrote(isAtLineStart: boolean): void;
  /** Whether what was written last has the end of its line. */
  readonly isAtLineStart: boolean;
}

const NONE: StatusLine = { show() {}, ask() {}, wipe() {}, wrote() {}, isAtLineStart: true };

/** @param isPlain Without colours, as `NO_COLOR` has it. */
export function createStatusLine(out: TerminalOutput, isPlain: boolean): StatusLine {
  if (out.isTTY !== true) return NONE;
  let shown: string | null = null;
  let asked: string | null = null;
  let isDrawn = false;
  let isAtLineStart = true;
  const wipe = () => {
    if (isDrawn) out.write("\r\u001b[2K");
    isDrawn = false;
  };
  const draw = () => {
    const text = asked ?? shown;
    if (text === null || isDrawn || (asked === null && !isAtLineStart)) return;
    if (!isAtLineStart) out.write("\n");
    isAtLineStart = true;
    // The terminal has shown the Ctrl-C that led to the question.
    if (asked !== null) out.write("\r\u001b[2K");
    const part = [...safeLine(text)].slice(0, Math.max(1, (out.columns || 80) - 1)).join("");
    const style = asked === null ? "\u001b[0;2m" : "\u001b[0;1m";
    out.write(isPlain ? part : `${style}${part}\u001b[0m`);
    isDrawn = true;
  };
  return {
    show(text) {
      if (text === shown) return;
      if (asked === null) wipe();
      shown = text;
      draw();
    },
    ask(text) {
      wipe();
      asked = text;
      draw();
    },
    wipe,
    wrote(isNowAtLineStart) {
      isAtLineStart = isNowAtLineStart;
      draw();
    },
    get isAtLineStart() {
      return isAtLineStart;
    },
  };
}
