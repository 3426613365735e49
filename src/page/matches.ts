/** What is searched. */
interface Searched {
  readonly count: number;
  plain(row: number): string;
}

/** A place where what is searched for was found. */
export interface Match {
  row: number;
  /** Counted from 0 within its row. */
  inRow: number;
}

/** Rows between two looks at the clock. */
const ROWS_AT_ONCE = 256;

/** Where a text is found in rows, which are searched bit by bit as they come. */
export class Matches {
  readonly pattern: RegExp;
  #rows: number[] = [];
  /** How many matches there are before those of the row at the same index. */
  #before: number[] = [];
  #total = 0;
  #searched = 0;

  /** @param text Is found in large and small letters, and has no characters of special meaning. */
  constructor(text: string) {
    this.pattern = new RegExp(text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"), "giu");
  }

  get total(): number {
    return this.#total;
  }

  /** How many rows have been searched. */
  get searched(): number {
    return this.#searched;
  }

  /** Searches on. Returns whether all there is has been searched. */
  search(lines: Searched, isTimeUp: () => boolean): boolean {
    while (this.#searched < lines.count) {
      const end = Math.min(lines.count, this.#searched + ROWS_AT_ONCE);
      for (; this.#searched < end; this.#searched++) this.#searchRow(lines, this.#searched);
      if (isTimeUp()) return this.#searched === lines.count;
    }
    return true;
  }

  /** Forgets what was found from a row on: it has changed. */
  forgetFrom(row: number): void {
    if (row >= this.#searched) return;
    const kept = firstAtOrAfter(this.#rows, row);
    this.#total = this.#before[kept] ?? this.#total;
    this.#rows.length = kept;
    this.#before.length = kept;
    this.#searched = row;
  }

  /** @param index Counted from 0, below `total`. */
  nth(index: number): Match {
    const place = firstAtOrAfter(this.#before, index + 1) - 1;
    return { row: this.#rows[place] ?? 0, inRow: index - (this.#before[place] ?? 0) };
  }

  /** The last match that was found so far. */
  get lastRow(): number {
    return this.#rows.at(-1) ?? -1;
  }

  /** The index of the first match at or behind a row; of the very first one where there is none. */
  indexFrom(row: number): number {
    return this.#before[firstAtOrAfter(this.#rows, row)] ?? 0;
  }

  /** Where in a text the matches begin and end. */
  ranges(text: string): { begin: number; end: number }[] {
    return [...text.matchAll(this.pattern)].map((match) => ({
      begin: match.index,
      end: match.index + match[0].length,
    }));
  }

  #searchRow(lines: Searched, row: number): void {
    const text = lines.plain(row);
    let found = 0;
    this.pattern.lastIndex = 0;
    while (this.pattern.test(text)) found++;
    if (found === 0) return;
    this.#rows.push(row);
    this.#before.push(this.#total);
    this.#total += found;
  }
}

/** The place of the first number that is not below a value, in ascending numbers. */
function firstAtOrAfter(numbers: readonly number[], value: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
