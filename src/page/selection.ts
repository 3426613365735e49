import type { ListView } from "./list-view.ts";
import type { LogLines } from "./log-lines.ts";

/** A place in the log: a row, and how many characters of its text are before it. */
interface Place {
  row: number;
  offset: number;
}

/**
 * Lets text be selected and copied over more rows than are in the page: those in which the selection
 * begins and ends stay there, and what is between them is taken from the log.
 */
export class LogSelection {
  readonly #log: HTMLElement;
  readonly #lines: LogLines;
  #list: ListView | null = null;
  #isOfAll = false;

  constructor(log: HTMLElement, lines: LogLines) {
    this.#log = log;
    this.#lines = lines;
    log.addEventListener("copy", (event) => {
      const text = this.#isOfAll ? this.#between(0, this.#lines.count) : this.#text();
      if (text === null) return;
      event.clipboardData?.setData("text/plain", text);
      event.preventDefault();
    });
    log.addEventListener("pointerdown", () => {
      this.#isOfAll = false;
    });
  }

  connect(list: ListView): void {
    this.#list = list;
  }

  selectAll(): void {
    this.#isOfAll = true;
    getSelection()?.selectAllChildren(this.#log);
  }

  /** Rows that must not leave the page. */
  keptRows(): number[] {
    const selection = getSelection();
    if (this.#isOfAll || selection === null || selection.isCollapsed) return [];
    return [selection.anchorNode, selection.focusNode].flatMap((node) => this.#rowOf(node) ?? []);
  }

  /** What is selected, where that is more than the browser knows. */
  #text(): string | null {
    const selection = getSelection();
    if (selection === null) return null;
    const places = [
      this.#place(selection.anchorNode, selection.anchorOffset),
      this.#place(selection.focusNode, selection.focusOffset),
    ];
    const [begin, end] = places.sort((one, other) =>
      one === null || other === null ? 0 : one.row - other.row,
    );
    if (begin == null || end == null || begin.row === end.row) return null;
    const first = this.#lines.plain(begin.row).slice(begin.offset);
    const last = this.#lines.plain(end.row).slice(0, end.offset);
    const between = this.#between(begin.row + 1, end.row);
    return [first, ...(between === "" ? [] : [between]), last].join("\n");
  }

  #between(begin: number, end: number): string {
    const rows = Array.from({ length: end - begin }, (_, index) => begin + index);
    return rows.map((row) => this.#lines.plain(row)).join("\n");
  }

  #place(node: Node | null, offset: number): Place | null {
    const row = this.#rowOf(node);
    const text = row === null ? null : this.#list?.elementOf(row)?.querySelector(".text");
    if (node === null || row === null || text == null) return null;
    const range = document.createRange();
    range.setStart(text, 0);
    // Before the text are a time and a number, which are not copied.
    if (range.comparePoint(node, offset) < 0) return { row, offset: 0 };
    range.setEnd(node, offset);
    return { row, offset: range.toString().length };
  }

  #rowOf(node: Node | null): number | null {
    const element = node instanceof Element ? node : (node?.parentElement ?? null);
    const row = element?.closest("#rows > .row");
    return row == null ? null : (this.#list?.rowOf(row) ?? null);
  }
}
