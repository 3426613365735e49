/**
 * The numbers of lines, where not every row is one: a row that goes on in another has no number, and
 * one that stands for lines that were left out has all of theirs.
 */
export class LineNumbers {
  /** Rows that are not one line, ascending, and the sum of all differences up to each. */
  #rows: number[] = [];
  #sums: number[] = [];
  /** What rows that are gone have counted for. */
  #before = 0;

  /** @param lines How many lines the row stands for. It is the last of all rows. */
  countAs(row: number, lines: number): void {
    this.#sums.push((this.#sums.at(-1) ?? this.#before) + lines - 1);
    this.#rows.push(row);
  }

  /** Counted from 1; of a row that stands for several it is the last one's. */
  of(row: number): number {
    return row + 1 + (this.#sums[this.#placeOf(row)] ?? this.#before);
  }

  /** Whether a row has a number of its own. */
  isNumbered(row: number): boolean {
    return this.#rows[this.#placeOf(row)] !== row;
  }

  /** The first rows are gone; the others move up, and keep their numbers. */
  drop(rows: number): void {
    const kept = this.#placeOf(rows - 1) + 1;
    this.#before = (this.#sums[kept - 1] ?? this.#before) + rows;
    this.#rows = this.#rows.slice(kept).map((row) => row - rows);
    this.#sums = this.#sums.slice(kept).map((sum) => sum + rows);
  }

  /** The last place whose row is not behind this one; -1 where there is none. */
  #placeOf(row: number): number {
    let low = 0;
    let high = this.#rows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#rows[middle] ?? 0) <= row) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
