import { ESCAPES, ESCAPES_GO_ON, type EscapeKind } from "../core/escapes.ts";
import { SPECIAL, visibleControl } from "./controls.ts";
import { applySgr, PLAIN, type Style } from "./sgr.ts";

/** A stretch of text in one style. */
export interface Piece {
  text: string;
  style: Style;
  /** Whether it stands for a character that is not seen by itself. */
  isControl: boolean;
}

/** What lasts from one part of a line to the next, or its style alone from line to line. */
export interface AnsiState {
  readonly style: Style;
  /** In which kind of escape sequence it is. */
  readonly mode: "text" | EscapeKind;
  /** What of a CSI has come. */
  readonly parameters: string;
}

export const BEGIN: AnsiState = { style: PLAIN, mode: "text", parameters: "" };

/** A line's end ends every sequence: one that is never finished must not swallow the lines behind it. */
export function atLineEnd({ style }: AnsiState): AnsiState {
  return style === PLAIN ? BEGIN : { style, mode: "text", parameters: "" };
}

/** `\r`, `\b`, "erase in line" from here, and of the whole line: what moves within a line. */
type Move = "return" | "back" | "erase" | "eraseAll";

const MOST_PARAMETERS = 128;
const ESCAPE = "\u001b";
const GRAPHIC = new RegExp(`${ESCAPE}\\[([\\d;:]{0,127})m`, "g");

/**
 * A line, or a part of it, as what is to be seen: colours and emphasis are kept, `\r`, `\b` and
 * "erase in line" do what they are used for by progress bars, and all other sequences are dropped.
 */
export function readAnsi(text: string, state: AnsiState): { pieces: Piece[]; state: AnsiState } {
  if (state.mode === "text" && text.search(SPECIAL) < 0) {
    const piece = { text, style: state.style, isControl: false };
    return { pieces: text === "" ? [] : [piece], state };
  }
  const reader = new Reader(state);
  reader.read(text);
  const { style, mode, parameters } = reader;
  return { pieces: reader.pieces(), state: { style, mode, parameters } };
}

/** What is to be seen of a line, without styles. */
export function plainOf(text: string, state: AnsiState): string {
  if (state.mode === "text") {
    if (text.search(SPECIAL) < 0) return text;
    const withoutStyles = text.replace(GRAPHIC, "");
    if (withoutStyles.search(SPECIAL) < 0) return withoutStyles;
  }
  return readAnsi(text, state)
    .pieces.map((piece) => piece.text)
    .join("");
}

/** The state behind a line. Most have graphic renditions at most, and are then not read whole. */
export function stateAfter(text: string, state: AnsiState): AnsiState {
  const isSimple = state.mode === "text" && text.replace(GRAPHIC, "").search(SPECIAL) < 0;
  if (!isSimple) return readAnsi(text, state).state;
  const reset = Math.max(text.lastIndexOf("\u001b[0m"), text.lastIndexOf("\u001b[m"));
  let style = reset < 0 ? state.style : PLAIN;
  for (const [, parameters = ""] of text.slice(Math.max(0, reset)).matchAll(GRAPHIC)) {
    style = applySgr(style, parameters);
  }
  return style === PLAIN ? BEGIN : { style, mode: "text", parameters: "" };
}

class Reader implements AnsiState {
  style: Style;
  mode: AnsiState["mode"];
  parameters: string;
  readonly #parts: (Piece | Move)[] = [];

  constructor(state: AnsiState) {
    this.style = state.style;
    this.mode = state.mode;
    this.parameters = state.parameters;
  }

  read(text: string): void {
    for (let at = 0; at < text.length; ) {
      if (this.mode !== "text") {
        if (this.#isConsumed(text[at] ?? "")) at++;
        continue;
      }
      const length = text.slice(at).search(SPECIAL);
      const end = length < 0 ? text.length : at + length;
      if (end > at) this.#show(text.slice(at, end), false);
      if (end < text.length) this.#control(text[end] ?? "");
      at = end + 1;
    }
  }

  pieces(): Piece[] {
    const isPiece = (part: Piece | Move) => typeof part !== "string";
    return this.#parts.every(isPiece) ? this.#parts.filter(isPiece) : moved(this.#parts);
  }

  #show(text: string, isControl: boolean): void {
    this.#parts.push({ text, style: this.style, isControl });
  }

  #control(char: string): void {
    const opened = ESCAPES[char];
    if (opened !== undefined) {
      this.mode = opened;
      // Nobody writes colours with the one-character introducer: no such sequence is honoured.
      this.parameters = char;
    } else if (char === "\r") this.#parts.push("return");
    else if (char === "\b") this.#parts.push("back");
    else if (char < "\u0080" || char > "\u009f") this.#show(visibleControl(char), true);
  }

  /** Whether a character belongs to the sequence that is open; else the sequence is over. */
  #isConsumed(char: string): boolean {
    if (char === "\u0018" || char === "\u001a" || char === "\u009c") {
      this.mode = "text";
      return true;
    }
    if (char === "\u001b") {
      this.mode = "escape";
      return true;
    }
    if (this.mode === "osc" || this.mode === "string") {
      if (this.mode === "osc" && char === "\u0007") this.mode = "text";
      return true;
    }
    // Terminals obey controls within a sequence; there is none among them that a log needs.
    if (char < " " || char === "\u007f") return true;
    if (char > "\u007f") {
      this.mode = "text";
      return false;
    }
    if (this.mode === "escape") this.#escape(char);
    else this.#csi(char);
    return true;
  }

  #escape(char: string): void {
    const opened = ESCAPES_GO_ON[char];
    this.parameters = "";
    if (opened !== undefined) this.mode = opened;
    // Of ESC ( B and its like, the last one ends it.
    else if (char >= "0") this.mode = "text";
  }

  #csi(char: string): void {
    if (char < "@") {
      if (this.parameters.length < MOST_PARAMETERS) this.parameters += char;
      return;
    }
    const { parameters } = this;
    this.mode = "text";
    if (char === "m" && parameters.length < MOST_PARAMETERS && /^[\d;:]*$/.test(parameters)) {
      this.style = applySgr(this.style, parameters);
    } else if (char === "K" && /^[0-2]?$/.test(parameters)) {
      this.#parts.push(parameters === "1" || parameters === "2" ? "eraseAll" : "erase");
    }
  }
}

/** Lays the parts of a line over each other, as a terminal does. */
function moved(parts: readonly (Piece | Move)[]): Piece[] {
  let cells: Piece[] = [];
  let column = 0;
  let isErased = false;
  for (const part of parts) {
    if (part === "return") {
      // What was erased is gone only when something is written in its place.
      if (isErased) cells = [];
      isErased = false;
      column = 0;
    } else if (part === "back") column = Math.max(0, column - 1);
    else if (part === "erase") cells.length = Math.min(cells.length, column);
    else if (part === "eraseAll") {
      cells.length = Math.min(cells.length, column);
      isErased = true;
    } else {
      const texts = part.isControl ? [part.text] : [...part.text];
      for (const text of texts) cells[column++] = { ...part, text };
    }
  }
  return joined(cells);
}

function joined(cells: readonly Piece[]): Piece[] {
  const pieces: Piece[] = [];
  for (const cell of cells) {
    const last = pieces.at(-1);
    if (last !== undefined && last.style === cell.style && last.isControl === cell.isControl) {
      last.text += cell.text;
    } else pieces.push({ ...cell });
  }
  return pieces;
}
