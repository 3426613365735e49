import type { Frame } from "./frames.ts";

/** How it stands with the log's way to the page. */
export type ConnectionState =
  | { name: "connecting" }
  | { name: "live" }
  /** @property atMs When it is tried again, as `performance.now()` counts. */
  | { name: "lost"; atMs: number }
  /** All has come. */
  | { name: "done" }
  | { name: WhyOver };

/** Why it is of no use to try again: what the page is about is there no longer, or not for us. */
type WhyOver = "gone" | "refused";

export interface ConnectionDeps {
  /** Where the log is now; it may be elsewhere at the next try. */
  path(): string;
  onFrames(frames: readonly Frame[]): void;
  onState(state: ConnectionState): void;
  /** Asks why it is of no use to try again; `null` where it may be. */
  whyOver(): Promise<WhyOver | null>;
}

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;
const GROWTH = 1.8;
/** Of each wait, the part that is left to chance: not all pages shall come at once. */
const JITTER = 0.3;
/** The token that the socket was opened with was revoked or has expired. */
const NOT_ALLOWED = 1008;
const QUERY = "format=json&batch=true&status=true&stream=stdout&stream=stderr&stream=pull";

/** The socket that the log comes by. A new one goes on where the last one broke off. */
export class Connection {
  readonly #deps: ConnectionDeps;
  #socket: WebSocket | null = null;
  #lastSeq: number | null = null;
  #waitMs = FIRST_WAIT_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;

  constructor(deps: ConnectionDeps) {
    this.#deps = deps;
    addEventListener("online", () => {
      // That of before may be dead without anybody having told it.
      const before = this.#socket;
      this.#socket = null;
      before?.close();
      this.tryNow();
    });
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.tryNow();
    });
    // A page that the browser put by, and took out again.
    addEventListener("pageshow", ({ persisted }) => {
      if (persisted) this.tryNow();
    });
  }

  /** Connects, unless it is connected or all has come. */
  tryNow(): void {
    if (this.#isOver || this.#socket !== null) return;
    clearTimeout(this.#timer);
    this.#deps.onState({ name: "connecting" });
    const url = new URL(this.#deps.path(), location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    url.search = `?${QUERY}${this.#lastSeq === null ? "" : `&after=${this.#lastSeq}`}`;
    const socket = new WebSocket(url);
    this.#socket = socket;
    let wasOpen = false;
    const isCurrent = () => this.#socket === socket;
    socket.addEventListener("open", () => {
      wasOpen = true;
      if (isCurrent()) this.#deps.onState({ name: "live" });
    });
    socket.addEventListener("message", ({ data }) => {
      if (isCurrent()) this.#receive(data);
    });
    socket.addEventListener("close", ({ code, reason }) => {
      if (!isCurrent()) return;
      this.#socket = null;
      if (code === 1000 && reason === "done") this.#end({ name: "done" });
      else if (code === NOT_ALLOWED) this.#end({ name: "refused" });
      else void this.#lost(wasOpen);
    });
  }

  #receive(data: unknown): void {
    const frames: Frame[] = JSON.parse(String(data));
    const unseen = frames.filter((frame) => {
      if (!("seq" in frame)) return true;
      if (this.#lastSeq !== null && frame.seq <= this.#lastSeq) return false;
      this.#lastSeq = frame.seq;
      return true;
    });
    this.#waitMs = FIRST_WAIT_MS;
    this.#deps.onFrames(unseen);
  }

  async #lost(wasOpen: boolean): Promise<void> {
    const waitMs = this.#waitMs * (1 - JITTER * Math.random());
    this.#waitMs = Math.min(LONGEST_WAIT_MS, this.#waitMs * GROWTH);
    this.#deps.onState({ name: "lost", atMs: performance.now() + waitMs });
    this.#timer = setTimeout(() => this.tryNow(), waitMs);
    // A browser does not tell why a socket was refused.
    const why = wasOpen ? null : await this.#deps.whyOver();
    if (why !== null && this.#socket === null) this.#end({ name: why });
  }

  #end(state: ConnectionState): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#deps.onState(state);
  }
}
