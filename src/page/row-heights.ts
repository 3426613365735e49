/** Where rows are in a list, in units of the height of one that is not wrapped. */
interface RowHeights {
  readonly count: number;
  /** Of all rows. */
  readonly total: number;
  /** How much is above a row. */
  above(row: number): number;
  /** The row that is at a height, the nearest one where there is none. */
  at(height: number): number;
}

/** All are as high as one. */
export class EvenHeights implements RowHeights {
  count = 0;

  get total(): number {
    return this.count;
  }

  above(row: number): number {
    return row;
  }

  at(height: number): number {
    return Math.max(0, Math.min(this.count - 1, Math.floor(height)));
  }
}

/** Each has its own; sums and changes take a time that grows with the logarithm (a Fenwick tree). */
export class OwnHeights implements RowHeights {
  #heights: number[] = [];
  /** At `index`, counted from 1, the sum of as many heights before it as its lowest bit says. */
  #sums: number[] = [0];

  get count(): number {
    return this.#heights.length;
  }

  get total(): number {
    return this.above(this.count);
  }

  height(row: number): number {
    return this.#heights[row] ?? 1;
  }

  push(height: number): void {
    const index = this.#heights.push(height);
    const lowest = index & -index;
    let sum = height;
    for (let bit = 1; bit < lowest; bit *= 2) sum += this.#sums[index - bit] ?? 0;
    this.#sums.push(sum);
  }

  set(row: number, height: number): void {
    const change = height - this.height(row);
    if (change === 0) return;
    this.#heights[row] = height;
    for (let index = row + 1; index <= this.count; index += index & -index) {
      this.#sums[index] = (this.#sums[index] ?? 0) + change;
    }
  }

  above(row: number): number {
    let sum = 0;
    for (let index = Math.min(row, this.count); index > 0; index -= index & -index) {
      sum += this.#sums[index] ?? 0;
    }
    return sum;
  }

  at(height: number): number {
    let index = 0;
    let rest = height;
    const highest = 2 ** Math.floor(Math.log2(Math.max(1, this.count)));
    for (let bit = highest; bit >= 1; bit /= 2) {
      const sum = this.#sums[index + bit];
      if (sum === undefined || sum > rest) continue;
      index += bit;
      rest -= sum;
    }
    return Math.max(0, Math.min(this.count - 1, index));
  }
}
