import { EvenHeights, OwnHeights } from "./row-heights.ts";
import { ScrollArea } from "./scroll-area.ts";

/** What the list shows. */
export interface ListSource {
  readonly count: number;
  /** At least how many characters wide a row is; the exact width takes longer. */
  width(row: number): number;
  exactWidth(row: number): number;
  element(row: number): HTMLElement;
  /** Rows that stay in the page although they are not seen. */
  kept(): readonly number[];
}

/** Rows above and below the visible ones, so that nothing is bare while it moves. */
const SPARE_ROWS = 12;

/**
 * A list of any length of which only what is seen is in the page. Rows are laid out one below the
 * other in a window that is moved to where they belong. Those that are broken into several are
 * measured when they are shown, and guessed before.
 */
export class ListView {
  readonly #scroller: HTMLElement;
  readonly #sizer: HTMLElement;
  readonly #window: HTMLElement;
  readonly #source: ListSource;
  readonly #area: ScrollArea;
  readonly #shown = new Map<number, HTMLElement>();
  readonly #even = new EvenHeights();
  #own: OwnHeights | null = null;
  #widest = 0;
  /** How many characters go into a row's text; 0 while that is not known. */
  #columns = 0;

  constructor(scroller: HTMLElement, source: ListSource) {
    const sizer = scroller.firstElementChild;
    const window = sizer?.firstElementChild;
    if (!(sizer instanceof HTMLElement && window instanceof HTMLElement)) {
      throw new Error("The list has no room for its rows");
    }
    this.#scroller = scroller;
    this.#sizer = sizer;
    this.#window = window;
    this.#source = source;
    this.#area = new ScrollArea(scroller, sizer);
  }

  /** The first row that is seen, and the one behind the last. */
  get visible(): { first: number; end: number } {
    const heights = this.#heights();
    const { top, viewRows } = this.#area;
    return { first: heights.at(top), end: Math.min(heights.count, heights.at(top + viewRows) + 1) };
  }

  get isAtEnd(): boolean {
    return this.#area.isAtEnd;
  }

  /** Breaks long lines, or no longer does. */
  wrap(isWrapped: boolean): void {
    const { first } = this.visible;
    this.#scroller.classList.toggle("wrapped", isWrapped);
    this.#own = isWrapped ? new OwnHeights() : null;
    this.#columns = 0;
    this.redraw();
    this.scrollTo(first, "start");
  }

  /** The view has another size: lines are broken elsewhere. */
  resized(): void {
    if (this.#own !== null && this.#countColumns() !== this.#columns) this.wrap(true);
    else this.draw();
  }

  /** Rows from this one on are new, or other than before. */
  changedFrom(row: number): void {
    for (const [index, element] of this.#shown) {
      if (index < row) continue;
      element.remove();
      this.#shown.delete(index);
    }
    for (let index = row; index < this.#source.count; index++) {
      if (this.#source.width(index) > this.#widest) {
        this.#widest = Math.max(this.#widest, this.#source.exactWidth(index));
      }
      if (this.#own !== null && index < this.#own.count) this.#own.set(index, this.#guess(index));
    }
  }

  /** As many of the first rows are gone; what is seen stays where it is. */
  dropped(rows: number): void {
    const { first } = this.visible;
    if (this.#own !== null) this.#own = new OwnHeights();
    this.redraw();
    this.scrollTo(Math.max(0, first - rows), "start");
  }

  /** Makes all rows anew: they look different, or are others. */
  redraw(): void {
    for (const element of this.#shown.values()) element.remove();
    this.#shown.clear();
    this.draw();
  }

  scrollTo(row: number, place: "start" | "middle"): void {
    // Twice, as what is measured when it is drawn may be elsewhere than was guessed.
    for (let time = 0; time < (this.#own === null ? 1 : 2); time++) {
      const offset = place === "start" ? 0 : (this.#area.viewRows - 1) / 2;
      this.#area.rows = this.#heights().total;
      this.#area.top = this.#heights().above(row) - offset;
      this.draw();
    }
  }

  scrollToEnd(): void {
    for (let time = 0; time < (this.#own === null ? 1 : 2); time++) {
      this.#area.rows = this.#heights().total;
      this.#area.toEnd();
      this.draw();
    }
  }

  /** The element of a row, where it is in the page. */
  elementOf(row: number): HTMLElement | null {
    return this.#shown.get(row) ?? null;
  }

  rowOf(element: Element): number | null {
    for (const [row, shown] of this.#shown) if (shown === element) return row;
    return null;
  }

  /** Puts into the page what is seen, and takes out what is not. */
  draw(): void {
    const heights = this.#heights();
    this.#area.rows = heights.total;
    this.#sizer.style.minWidth = this.#own === null ? `calc(${this.#widest}ch + 8rem)` : "";
    const { first: firstSeen, end: endSeen } = this.visible;
    const first = Math.max(0, firstSeen - SPARE_ROWS);
    const end = Math.min(heights.count, endSeen + SPARE_ROWS);
    this.#fill(first, end);
    if (this.#own !== null) this.#measure(this.#own, first, end);
    this.#area.place(this.#window, this.#heights().above(first));
  }

  #fill(first: number, end: number): void {
    const kept = this.#source.kept();
    const isSeen = (row: number) => row >= first && row < end;
    for (const [row, element] of this.#shown) {
      element.classList.toggle("aside", !isSeen(row));
      if (isSeen(row) || kept.includes(row)) continue;
      element.remove();
      this.#shown.delete(row);
    }
    // Those kept above stand first, so that a selection goes from above to below.
    let next = this.#window.firstElementChild;
    for (const row of this.#shown.keys()) if (row < first) next = next?.nextElementSibling ?? null;
    for (let row = first; row < end; row++) {
      const shown = this.#shown.get(row);
      if (shown === undefined) {
        const made = this.#source.element(row);
        this.#shown.set(row, made);
        this.#window.insertBefore(made, next);
      } else next = shown.nextElementSibling;
    }
  }

  /** Puts right what was guessed; the row at the upper edge of the view stays where it was. */
  #measure(own: OwnHeights, first: number, end: number): void {
    const { top } = this.#area;
    const anchor = own.at(top);
    const into = top - own.above(anchor);
    const pixels = Array.from(
      { length: end - first },
      (_, index) => this.#shown.get(first + index)?.offsetHeight ?? 0,
    );
    let isOther = false;
    for (const [index, height] of pixels.entries()) {
      const rows = Math.max(1, Math.round(height / this.#area.rowPixels));
      isOther ||= rows !== own.height(first + index);
      own.set(first + index, rows);
    }
    if (!isOther) return;
    this.#area.rows = own.total;
    const moved = own.above(anchor) + Math.min(into, own.height(anchor));
    if (Math.abs(moved - top) > 0.01) this.#area.top = moved;
  }

  #heights(): EvenHeights | OwnHeights {
    const { count } = this.#source;
    const own = this.#own;
    if (own === null) {
      this.#even.count = count;
      return this.#even;
    }
    while (own.count < count) own.push(this.#guess(own.count));
    return own;
  }

  #guess(row: number): number {
    if (this.#columns === 0) this.#columns = this.#countColumns();
    if (this.#source.width(row) <= this.#columns) return 1;
    return Math.max(1, Math.ceil(this.#source.exactWidth(row) / this.#columns));
  }

  #countColumns(): number {
    if (this.#source.count === 0) return 0;
    const row = this.#source.element(0);
    const text = row.querySelector(".text");
    const characters = document.createElement("span");
    characters.textContent = "x".repeat(10);
    text?.replaceChildren(characters);
    this.#window.append(row);
    const width = text?.clientWidth ?? 0;
    const columns = Math.floor(width / (characters.getBoundingClientRect().width / 10));
    row.remove();
    // Not the padding at the right end, which is about as wide as two of them.
    return Math.max(1, columns - 2);
  }
}
