import type { LogStream } from "../core/log-streams.ts";
import {
  type AnsiState,
  atLineEnd,
  BEGIN,
  type Piece,
  plainOf,
  readAnsi,
  stateAfter,
} from "./ansi.ts";
import { SPECIAL } from "./controls.ts";
import type { GapFrame, LogFrame } from "./frames.ts";
import { LineNumbers } from "./line-numbers.ts";

/** `gap` is a line of ours, in the place of others. */
export type LineKind = LogStream | "gap";

/** One row of the page: a line, or a part of a very long one. */
export interface Line {
  kind: LineKind;
  pieces: Piece[];
  /** Milliseconds since 1970 of its first part; `null` for a gap. */
  at: number | null;
  /** Counted from 1; `null` for a gap, and for what goes on the row before of its stream. */
  number: number | null;
}

const KINDS: readonly LineKind[] = ["stdout", "stderr", "pull", "gap"];
/** Characters of a row: what is longer goes on in the next, so that no row is too much to lay out. */
const MOST_OF_ROW = 16_384;

/** How much is kept at most; beyond it the oldest goes. The whole log can be downloaded. */
export interface Limits {
  lines: number;
  characters: number;
}
const LIMITS: Limits = { lines: 2_000_000, characters: 400_000_000 };
/** Of what is kept, the part that goes at once. */
const DROPPED_SHARE = 0.25;

/**
 * The lines of a log, put together from frames. They are kept as they came, in arrays of plain
 * values, and read when they are shown.
 */
export class LogLines {
  #texts: string[] = [];
  #kinds: number[] = [];
  #times: number[] = [];
  #begins = new Map<number, AnsiState>();
  readonly #numbers = new LineNumbers();
  /** For each stream the row that has no end yet, and the state in which the next one begins. */
  #open = new Map<LineKind, number>();
  #next = new Map<LineKind, AnsiState>();
  #characters = 0;
  #dropped = 0;
  readonly #limits: Limits;

  constructor(limits = LIMITS) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#texts.length;
  }

  /** Lines that were too old to be kept. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Adds what a frame has. Returns the first row that is new or other than before. */
  add({ stream, at, data }: LogFrame): number {
    let first = this.count;
    const time = Date.parse(at);
    for (let begin = 0; begin < data.length; ) {
      const newline = data.indexOf("\n", begin);
      const end = newline < 0 ? data.length : newline;
      const row = this.#append(stream, time, data.slice(begin, end));
      first = Math.min(first, row);
      if (newline >= 0) this.#endLine(stream);
      begin = end + 1;
    }
    return first;
  }

  addGap({ gap: { lines, frames, bytes } }: GapFrame): number {
    const count = lines ?? frames ?? 0;
    const what = `${count.toLocaleString("en")} ${count === 1 ? "line" : "lines"}`;
    const size = bytes === undefined ? "" : ` (${bytes.toLocaleString("en")} bytes)`;
    const text = `${what}${size} left out here: the log is too long`;
    const row = this.#push("gap", Number.NaN, text, BEGIN);
    this.#numbers.countAs(row, count);
    return row;
  }

  /** Lets go of the oldest where there is too much. Returns how many rows went. */
  dropOldest(): number {
    const { lines, characters } = this.#limits;
    if (this.count <= lines && this.#characters <= characters) return 0;
    const gone = Math.ceil(this.count * DROPPED_SHARE);
    for (const text of this.#texts.splice(0, gone)) this.#characters -= text.length;
    this.#kinds.splice(0, gone);
    this.#times.splice(0, gone);
    this.#begins = new Map(shifted([...this.#begins], gone));
    this.#numbers.drop(gone);
    this.#open = new Map([...this.#open].map(([kind, row]) => [kind, row - gone]));
    for (const [kind, row] of this.#open) if (row < 0) this.#open.delete(kind);
    this.#dropped += gone;
    return gone;
  }

  /** Of all lines, those that are not here among them. */
  get lastNumber(): number {
    return this.#numbers.of(this.count - 1);
  }

  line(row: number): Line {
    const at = this.#times[row] ?? Number.NaN;
    return {
      kind: this.kind(row),
      pieces: readAnsi(this.#texts[row] ?? "", this.#begin(row)).pieces,
      at: Number.isNaN(at) ? null : at,
      number: this.#numbers.isNumbered(row) ? this.#numbers.of(row) : null,
    };
  }

  kind(row: number): LineKind {
    return KINDS[this.#kinds[row] ?? 0] ?? "stdout";
  }

  /** As it is seen, without colours. */
  plain(row: number): string {
    return plainOf(this.#texts[row] ?? "", this.#begin(row));
  }

  /** About how many characters wide it is: sequences are counted in. */
  width(row: number): number {
    return this.#texts[row]?.length ?? 0;
  }

  #begin(row: number): AnsiState {
    return this.#begins.get(row) ?? BEGIN;
  }

  #append(stream: LogStream, time: number, text: string): number {
    const open = this.#open.get(stream);
    if (open === undefined) return this.#pushParts(stream, time, text);
    const before = this.#texts[open] ?? "";
    const room = fitting(text, MOST_OF_ROW - before.length);
    // A new string of the two: a chain of many parts would be slow to read.
    this.#texts[open] = before + text.slice(0, room);
    this.#characters += Math.min(room, text.length);
    this.#carry(stream, open);
    if (text.length > room) this.#pushParts(stream, time, text.slice(room), true);
    return open;
  }

  /** Returns the first of the rows. */
  #pushParts(stream: LogStream, time: number, text: string, isContinued = false): number {
    const first = this.count;
    let begin = 0;
    do {
      const part = text.slice(begin, begin + fitting(text.slice(begin), MOST_OF_ROW));
      const row = this.#push(stream, time, part, this.#next.get(stream) ?? BEGIN);
      if (isContinued || begin > 0) this.#numbers.countAs(row, 0);
      this.#open.set(stream, row);
      this.#carry(stream, row);
      begin += part.length;
    } while (begin < text.length);
    return first;
  }

  #push(kind: LineKind, time: number, text: string, begin: AnsiState): number {
    const row = this.#texts.push(text) - 1;
    this.#kinds.push(KINDS.indexOf(kind));
    this.#times.push(time);
    this.#characters += text.length;
    if (begin !== BEGIN) this.#begins.set(row, begin);
    return row;
  }

  /** Finds out in which state the row ends. */
  #carry(stream: LogStream, row: number): void {
    const begin = this.#begin(row);
    const text = this.#texts[row] ?? "";
    if (begin === BEGIN && text.search(SPECIAL) < 0) this.#next.delete(stream);
    else this.#next.set(stream, stateAfter(text, begin));
  }

  #endLine(stream: LogStream): void {
    this.#open.delete(stream);
    const state = this.#next.get(stream);
    if (state === undefined) return;
    const begin = atLineEnd(state);
    if (begin === BEGIN) this.#next.delete(stream);
    else this.#next.set(stream, begin);
  }
}

/** How many characters of a text go into a room, without one being cut in two. */
function fitting(text: string, room: number): number {
  const isPair = (text.codePointAt(room - 1) ?? 0) > 0xffff;
  return text.length <= room ? text.length : isPair ? room - 1 : Math.max(0, room);
}

function shifted<T>(entries: readonly (readonly [number, T])[], by: number): [number, T][] {
  return entries.flatMap(([row, value]) => (row < by ? [] : [[row - by, value] as [number, T]]));
}
