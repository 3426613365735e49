/** Browsers lay out nothing that is much higher; a higher list moves faster than its scroll bar. */
const MOST_PIXELS = 15_000_000;

/** Where a scroller is in a list, counted in rows; a part of a row is a fraction. */
export class ScrollArea {
  readonly rowPixels: number;
  readonly #scroller: HTMLElement;
  readonly #sizer: HTMLElement;
  #rows = 0;

  constructor(scroller: HTMLElement, sizer: HTMLElement) {
    this.#scroller = scroller;
    this.#sizer = sizer;
    this.rowPixels = Number.parseFloat(getComputedStyle(sizer).lineHeight);
  }

  get viewRows(): number {
    return this.#scroller.clientHeight / this.rowPixels;
  }

  /** How high the list is. */
  set rows(rows: number) {
    if (rows === this.#rows) return;
    this.#rows = rows;
    this.#sizer.style.height = `${Math.min(MOST_PIXELS, rows * this.rowPixels)}px`;
  }

  /** What is at the upper edge of the view. */
  get top(): number {
    return (this.#scroller.scrollTop * this.#speed) / this.rowPixels;
  }

  set top(rows: number) {
    this.#scroller.scrollTop = (Math.max(0, rows) * this.rowPixels) / this.#speed;
  }

  get isAtEnd(): boolean {
    const { scrollTop, clientHeight, scrollHeight } = this.#scroller;
    return scrollTop + clientHeight >= scrollHeight - this.rowPixels / 2;
  }

  toEnd(): void {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  /** Moves what belongs at a height of the list to where that is just now. */
  place(element: HTMLElement, height: number): void {
    const fromTop = (height - this.top) * this.rowPixels;
    element.style.transform = `translateY(${this.#scroller.scrollTop + fromTop}px)`;
  }

  /** Pixels of the list for a pixel of the scroll bar. */
  get #speed(): number {
    const pixels = this.#rows * this.rowPixels;
    if (pixels <= MOST_PIXELS) return 1;
    const { clientHeight } = this.#scroller;
    return (pixels - clientHeight) / (MOST_PIXELS - clientHeight);
  }
}
