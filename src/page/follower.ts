import type { ListView } from "./list-view.ts";

/** Whether the page keeps to the end of the log: until the reader scrolls up, and again at the end. */
export class Follower {
  readonly #scroller: HTMLElement;
  readonly #list: ListView;
  readonly #onChange: () => void;
  #isOn = true;
  #lastTop = 0;

  constructor(scroller: HTMLElement, list: ListView, onChange: () => void) {
    this.#scroller = scroller;
    this.#list = list;
    this.#onChange = onChange;
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  set isOn(isOn: boolean) {
    if (isOn) this.keepUp(true);
    if (isOn === this.#isOn) return;
    this.#isOn = isOn;
    this.#onChange();
  }

  /** Goes to the end, if that is kept to. */
  keepUp(isMeant = this.#isOn): void {
    if (isMeant) this.#list.scrollToEnd();
    this.#lastTop = this.#scroller.scrollTop;
  }

  #scrolled(): void {
    const top = this.#scroller.scrollTop;
    const wentUp = top < this.#lastTop - 1;
    const wentDown = top > this.#lastTop + 1;
    this.#lastTop = top;
    if (wentUp && !this.#list.isAtEnd) this.isOn = false;
    else if (wentDown && this.#list.isAtEnd) this.isOn = true;
  }
}
