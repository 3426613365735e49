import { parse } from "smol-toml";
import type { Path } from "./fault.ts";

/** No key of ours is as deep. */
const DEEPEST = 16;

/* Runs of characters that need no look at each of them. */
const SPACE = /\s+/y;
const COMMENT = /[^\n]+/y;
const SCALAR = /[^,\]}#\n]+/y;
const PLAIN = /[^"'\\]+/y;

/**
 * The line of each key of a TOML file, since the parser does not tell.
 *
 * @param text What the parser has taken: here nothing is checked again.
 * @returns Gives the line of a key, or of the nearest one around it; counted from 1.
 */
export function linesOf(text: string): (path: Path) => number {
  const lines = new Scanner(text).scan();
  return (path) => {
    for (let length = path.length; length > 0; length--) {
      const line = lines.get(JSON.stringify(path.slice(0, length)));
      if (line !== undefined) return line;
    }
    return 1;
  };
}

class Scanner {
  readonly #text: string;
  readonly #lines = new Map<string, number>();
  /** How many tables each list of tables has so far. */
  readonly #counts = new Map<string, number>();
  #at = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  scan(): Map<string, number> {
    let table: Path = [];
    for (this.#skipSpace(); this.#at < this.#text.length; this.#skipSpace()) {
      if (this.#text[this.#at] === "[") table = this.#header();
      else this.#pair(table);
    }
    return this.#lines;
  }

  /** `[a.b]` or `[[a.b]]`. */
  #header(): Path {
    const isList = this.#text.startsWith("[[", this.#at);
    this.#at += isList ? 2 : 1;
    const names = this.#names("]");
    this.#at += isList ? 2 : 1;
    let path: Path = [];
    for (const [index, name] of names.entries()) {
      path = [...path, name];
      this.#note(path);
      const key = JSON.stringify(path);
      const count = this.#counts.get(key);
      if (isList && index === names.length - 1) {
        this.#counts.set(key, (count ?? 0) + 1);
        path = [...path, count ?? 0];
      } else if (count !== undefined) path = [...path, count - 1];
    }
    this.#note(path);
    return path;
  }

  #pair(table: Path): void {
    const line = this.#line;
    let path = table;
    for (const name of this.#names("=")) {
      path = [...path, name];
      this.#note(path, line);
    }
    this.#at++;
    this.#skipSpace();
    this.#value(path);
  }

  #value(path: Path): void {
    this.#note(path);
    const first = this.#text[this.#at];
    if (first === '"' || first === "'") this.#string();
    else if (first === "[") this.#items("]", (index) => this.#value([...path, index]));
    else if (first === "{") this.#items("}", () => this.#pair(path));
    else this.#skip(SCALAR);
  }

  #items(end: string, read: (index: number) => void): void {
    this.#at++;
    for (let index = 0; this.#at < this.#text.length; index++) {
      this.#skipSpace();
      if (this.#text[this.#at] === end) break;
      read(index);
      this.#skipSpace();
      if (this.#text[this.#at] === ",") this.#at++;
    }
    this.#at++;
  }

  /** A key up to what ends it. The parser knows how names are quoted and where their dots are. */
  #names(end: string): string[] {
    const begin = this.#at;
    while (this.#at < this.#text.length && this.#text[this.#at] !== end) {
      if (/["']/.test(this.#text[this.#at] ?? "")) this.#string();
      else this.#at++;
    }
    const key = this.#text.slice(begin, this.#at).trim();
    if (/^[\w-]+$/.test(key)) return [key];
    const names: string[] = [];
    let table: unknown = parse(`${key} = 0`);
    while (typeof table === "object" && table !== null && names.length < DEEPEST) {
      const [[name, inner] = ["", null]] = Object.entries(table);
      names.push(name);
      table = inner;
    }
    return names;
  }

  #string(): void {
    const quote = this.#text[this.#at] ?? "";
    const long = this.#text.startsWith(quote.repeat(3), this.#at);
    const end = long ? quote.repeat(3) : quote;
    this.#at += end.length;
    for (;;) {
      this.#skip(PLAIN);
      if (this.#at >= this.#text.length || this.#text.startsWith(end, this.#at)) break;
      if (this.#text[this.#at] === "\\" && quote === '"') this.#step();
      this.#step();
    }
    this.#at += end.length;
    // A long string may end in quotes of its own.
    while (long && this.#text[this.#at] === quote) this.#at++;
  }

  /** White space, ends of lines and comments. */
  #skipSpace(): void {
    this.#skip(SPACE);
    while (this.#text[this.#at] === "#") {
      this.#skip(COMMENT);
      this.#skip(SPACE);
    }
  }

  #skip(run: RegExp): void {
    run.lastIndex = this.#at;
    if (!run.test(this.#text)) return;
    while (this.#at < run.lastIndex) {
      const end = this.#text.indexOf("\n", this.#at);
      if (end === -1 || end >= run.lastIndex) break;
      this.#line++;
      this.#at = end + 1;
    }
    this.#at = run.lastIndex;
  }

  #step(): void {
    if (this.#text[this.#at] === "\n") this.#line++;
    this.#at++;
  }

  #note(path: Path, line = this.#line): void {
    const key = JSON.stringify(path);
    if (!this.#lines.has(key)) this.#lines.set(key, line);
  }
}
