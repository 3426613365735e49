import { byId, wordsOf } from "./elements.ts";
import { Follower } from "./follower.ts";
import { type ExecutionStatus, type Frame, hasEnded } from "./frames.ts";
import type { KeyActions } from "./keys.ts";
import { ListView } from "./list-view.ts";
import { LogLines } from "./log-lines.ts";
import { remember, remembered } from "./preferences.ts";
import { rowElement } from "./row-view.ts";
import { Search } from "./search.ts";
import { LogSelection } from "./selection.ts";
import { connectSwitch, type Switch } from "./switches.ts";
import { bytesInWords } from "./times.ts";

const EMPTY: Record<string, string> = {
  waiting: "Nothing runs yet. The log appears here by itself.",
  enqueued: "Waiting to start. The log appears here by itself.",
  pulling: "Its image is being pulled.",
  running: "Running; nothing has been written yet.",
};
const FLOOD_ROWS = 500;
const FLOOD_DRAWN_EVERY_MS = 150;
const NARROW = "(max-width: 44rem)";

/** The log itself, and what may be done with it. */
export class LogPane {
  readonly #lines = new LogLines();
  readonly #log = byId("log", HTMLElement);
  readonly #more = byId("more", HTMLButtonElement);
  readonly #selection: LogSelection;
  readonly #list: ListView;
  readonly #follower: Follower;
  readonly #search: Search;
  readonly #switches: { times: Switch; wrap: Switch; follow: Switch };
  #status: ExecutionStatus | null = null;
  #isWhole = false;
  /** The first row that is not drawn as it is by now; `null` for none. */
  #changedFrom: number | null = null;
  /** How many rows there were when the reader let go of the end. */
  #seen = 0;
  #frame = 0;
  #drawn = { rows: 0, atMs: 0 };

  constructor() {
    this.#selection = new LogSelection(this.#log, this.#lines);
    this.#list = new ListView(this.#log, this.#source());
    this.#selection.connect(this.#list);
    this.#follower = new Follower(this.#log, this.#list, () => this.#followChanged());
    this.#search = new Search({
      lines: this.#lines,
      list: this.#list,
      follower: this.#follower,
    });
    const wrap = remembered("wrap") ?? String(matchMedia(NARROW).matches);
    this.#switches = {
      times: connectSwitch("times", remembered("times") === "true", (isOn) => {
        remember("times", String(isOn));
        this.#list.resized();
        this.#list.redraw();
      }),
      wrap: connectSwitch("wrap", wrap === "true", (isOn) => {
        remember("wrap", String(isOn));
        this.#list.wrap(isOn);
        this.#follower.keepUp();
      }),
      follow: connectSwitch("follow", true, (isOn) => {
        this.#follower.isOn = isOn;
      }),
    };
    if (wrap === "true") this.#list.wrap(true);
    this.#more.addEventListener("click", () => {
      this.#follower.isOn = true;
      this.#log.focus({ preventScroll: true });
    });
    this.#log.addEventListener("scroll", () => this.#drawSoon(), { passive: true });
    new ResizeObserver(() => {
      this.#list.resized();
      this.#follower.keepUp();
    }).observe(this.#log);
    this.#showEmpty();
  }

  add(frames: readonly Frame[]): void {
    for (const frame of frames) {
      if ("status" in frame) continue;
      const row = "gap" in frame ? this.#lines.addGap(frame) : this.#lines.add(frame);
      this.#changedFrom = Math.min(this.#changedFrom ?? row, row);
    }
    this.#drawSoon();
  }

  statusChanged(status: ExecutionStatus): void {
    // What has ended well is read from its beginning.
    if (this.#status === null && status.status === "done") {
      this.#follower.isOn = false;
      this.#list.scrollTo(0, "start");
    }
    this.#status = status;
    this.#showEmpty();
    this.#showAmount();
  }

  /** Nothing more will come. */
  isWhole(): void {
    this.#isWhole = true;
    byId("follow", HTMLButtonElement).disabled = true;
    this.#switches.follow.isOn = false;
    this.#drawSoon();
  }

  keyActions(): KeyActions {
    return {
      search: () => this.#search.enter(),
      next: () => this.#search.step(1),
      previous: () => this.#search.step(-1),
      follow: () => {
        if (this.#isWhole) this.#list.scrollToEnd();
        else this.#switches.follow.toggle();
      },
      wrap: () => this.#switches.wrap.toggle(),
      times: () => this.#switches.times.toggle(),
      begin: () => {
        this.#follower.isOn = false;
        this.#list.scrollTo(0, "start");
      },
      end: () => {
        this.#follower.isOn = true;
      },
      all: () => this.#selection.selectAll(),
      escape: () => this.#search.leave(),
    };
  }

  #source() {
    const lines = this.#lines;
    return {
      get count() {
        return lines.count;
      },
      width: (row: number) => lines.width(row),
      exactWidth: (row: number) => lines.plain(row).length,
      element: (row: number) =>
        rowElement(lines.line(row), {
          withTimes: this.#switches.times.isOn,
          matches: this.#search.matches,
          matchNow: this.#search.matchNowIn(row),
        }),
      kept: () => this.#selection.keptRows(),
    };
  }

  #drawSoon(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#draw());
  }

  #draw(): void {
    this.#frame = 0;
    if (this.#isFlood()) {
      this.#drawSoon();
      return;
    }
    this.#drawn = { rows: this.#lines.dropped + this.#lines.count, atMs: performance.now() };
    const changed = this.#changedFrom;
    this.#changedFrom = null;
    if (changed !== null) {
      this.#makeRoomForNumbers();
      this.#list.changedFrom(changed);
      this.#search.changedFrom(changed);
      const gone = this.#lines.dropOldest();
      if (gone > 0) {
        this.#list.dropped(gone);
        this.#search.restart();
      }
      this.#showAmount();
      this.#showEmpty();
    }
    if (this.#follower.isOn) this.#follower.keepUp();
    else this.#list.draw();
    this.#showMore();
  }

  /** So much comes that the end cannot be read: time is better spent on taking it in. */
  #isFlood(): boolean {
    const rows = this.#lines.dropped + this.#lines.count - this.#drawn.rows;
    const isSoon = performance.now() - this.#drawn.atMs < FLOOD_DRAWN_EVERY_MS;
    return this.#follower.isOn && rows > FLOOD_ROWS && isSoon;
  }

  #makeRoomForNumbers(): void {
    const digits = String(Math.max(2, String(this.#lines.lastNumber).length));
    if (this.#log.style.getPropertyValue("--digits") === digits) return;
    this.#log.style.setProperty("--digits", digits);
    this.#list.resized();
  }

  #followChanged(): void {
    this.#switches.follow.isOn = this.#follower.isOn && !this.#isWhole;
    this.#seen = this.#lines.dropped + this.#lines.count;
    this.#showMore();
  }

  /** The way back to the end, with how much has come there. */
  #showMore(): void {
    const added = this.#lines.dropped + this.#lines.count - this.#seen;
    const isAway = !this.#follower.isOn && !this.#list.isAtEnd;
    this.#more.hidden = !isAway;
    if (!isAway) return;
    const count = added === 1 ? "1 new line" : `${added.toLocaleString("en")} new lines`;
    const words = this.#isWhole ? "To the end" : added > 0 ? `Follow: ${count}` : "Follow";
    wordsOf(this.#more).textContent = words;
  }

  #showEmpty(): void {
    const isEmpty = this.#lines.count === 0;
    const place = byId("empty", HTMLElement);
    place.hidden = !isEmpty;
    if (!isEmpty) return;
    const isEnded = this.#status !== null && hasEnded(this.#status);
    // Until the socket tells, it is as it was when the page was made.
    const name = this.#status?.status ?? byId("status", HTMLElement).dataset["status"] ?? "";
    const waiting = EMPTY[name] ?? "";
    const nothing = this.#status?.logDropped
      ? "Its log is no longer kept."
      : "It has written nothing.";
    wordsOf(place).textContent = isEnded ? nothing : waiting;
  }

  #showAmount(): void {
    const { dropped, count } = this.#lines;
    const lines = `${(dropped + count).toLocaleString("en")} ${count === 1 ? "line" : "lines"}`;
    const bytes = this.#status?.logBytes ?? null;
    const left = dropped === 0 ? "" : `, the first ${dropped.toLocaleString("en")} not shown`;
    byId("amount", HTMLElement).textContent =
      `${lines}${left}${bytes === null ? "" : ` · ${bytesInWords(bytes)}`}`;
  }
}
