import { byId } from "./elements.ts";
import type { Follower } from "./follower.ts";
import type { ListView } from "./list-view.ts";
import type { LogLines } from "./log-lines.ts";
import { Matches } from "./matches.ts";

/** Searched without a pause: what is longer would be felt. */
const AT_ONCE_MS = 10;

interface SearchDeps {
  lines: LogLines;
  list: ListView;
  follower: Follower;
}

/** The search: its field, its count, and at which match the reader is. */
export class Search {
  readonly #deps: SearchDeps;
  readonly #query = byId("query", HTMLInputElement);
  readonly #found = byId("found", HTMLOutputElement);
  readonly #steps = [byId("previous", HTMLButtonElement), byId("next", HTMLButtonElement)];
  #matches: Matches | null = null;
  #now: number | null = null;
  #isDone = true;
  #wantsFirst = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(deps: SearchDeps) {
    this.#deps = deps;
    this.#query.addEventListener("input", () => this.#begin(true));
    this.#query.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.step(event.shiftKey ? -1 : 1);
      else if (event.key === "Escape") this.leave();
      else return;
      event.preventDefault();
    });
    byId("leave", HTMLButtonElement).addEventListener("click", () => this.leave());
    for (const [index, button] of this.#steps.entries()) {
      button.addEventListener("click", () => this.step(index === 0 ? -1 : 1));
    }
  }

  get matches(): Matches | null {
    return this.#matches;
  }

  /** Which match of a row the reader is at. */
  matchNowIn(row: number): number | null {
    if (this.#matches === null || this.#now === null) return null;
    const match = this.#matches.nth(this.#now);
    return match.row === row ? match.inRow : null;
  }

  enter(): void {
    this.#query.focus();
    this.#query.select();
  }

  leave(): void {
    this.#query.value = "";
    this.#begin(false);
    byId("log", HTMLElement).focus({ preventScroll: true });
  }

  step(by: 1 | -1): void {
    const total = this.#matches?.total ?? 0;
    if (total === 0) return;
    this.#show(this.#now === null ? this.#nearest() : (this.#now + by + total) % total);
  }

  /** Rows from this one on are new, or other than before. */
  changedFrom(row: number): void {
    if (this.#matches === null) return;
    this.#matches.forgetFrom(row);
    this.#searchOn();
  }

  /** Rows are others than before. */
  restart(): void {
    if (this.#matches !== null) this.#begin(false);
  }

  /** @param goesThere Whether the first match is gone to. */
  #begin(goesThere: boolean): void {
    const { value } = this.#query;
    this.#matches = value === "" ? null : new Matches(value);
    this.#now = null;
    this.#wantsFirst = goesThere;
    this.#deps.list.redraw();
    this.#searchOn();
  }

  #searchOn(): void {
    clearTimeout(this.#timer);
    const matches = this.#matches;
    if (matches === null) {
      this.#count();
      return;
    }
    const begun = performance.now();
    const isTimeUp = () => performance.now() - begun > AT_ONCE_MS;
    this.#isDone = matches.search(this.#deps.lines, isTimeUp);
    if (!this.#isDone) this.#timer = setTimeout(() => this.#searchOn());
    const { first } = this.#deps.list.visible;
    const isNear = this.#isDone || matches.lastRow >= first;
    if (this.#wantsFirst && isNear && matches.total > 0) this.#show(this.#nearest());
    else this.#count();
  }

  /** The first match that is seen or is below what is seen. */
  #nearest(): number {
    return this.#matches?.indexFrom(this.#deps.list.visible.first) ?? 0;
  }

  #show(index: number): void {
    const { list, follower } = this.#deps;
    const row = this.#matches?.nth(index).row ?? 0;
    this.#wantsFirst = false;
    this.#now = index;
    const { first, end } = list.visible;
    // What is looked at must not be scrolled away by what is written.
    follower.isOn = false;
    list.redraw();
    if (row < first + 1 || row >= end - 2) list.scrollTo(row, "middle");
    list.elementOf(row)?.querySelector("mark.now")?.scrollIntoView({
      block: "nearest",
      inline: "nearest",
    });
    this.#count();
  }

  #count(): void {
    const total = this.#matches?.total ?? 0;
    this.#found.value = this.#matches === null ? "" : this.#words(total);
    this.#found.toggleAttribute("data-none", total === 0 && this.#isDone);
    for (const button of this.#steps) button.disabled = total === 0;
  }

  #words(total: number): string {
    if (total === 0) return this.#isDone ? "Nothing found" : "Searching";
    const many = `${total.toLocaleString("en")}${this.#isDone ? "" : "+"}`;
    return this.#now === null
      ? `${many} found`
      : `${(this.#now + 1).toLocaleString("en")} of ${many}`;
  }
}
