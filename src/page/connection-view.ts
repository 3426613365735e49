import type { ConnectionState } from "./connection.ts";
import { byId, tell, wordsOf } from "./elements.ts";
import type { ExecutionStatus } from "./frames.ts";

const WORDS = {
  connecting: "Connecting",
  live: "Live",
  gone: "This log is no longer kept here",
  refused: "You may not read on: reload the page to say who you are",
} as const;

/** Tells how the log comes to the page, and when that is tried again. */
export class ConnectionView {
  readonly #line = byId("connection", HTMLElement);
  readonly #retry = byId("reconnect", HTMLButtonElement);
  #ticking: ReturnType<typeof setInterval> | undefined;
  #wasLost = false;

  constructor(onRetry: () => void) {
    this.#retry.addEventListener("click", onRetry);
  }

  show(state: ConnectionState, status: ExecutionStatus | null): void {
    clearInterval(this.#ticking);
    // Nothing flickers while it tries again.
    const name = state.name === "connecting" && this.#wasLost ? "lost" : state.name;
    this.#line.dataset["state"] = name;
    this.#retry.hidden = state.name !== "lost";
    if (state.name === "lost") {
      if (!this.#wasLost) tell("The connection is lost; it is tried again");
      this.#wasLost = true;
      const tick = () => {
        const seconds = Math.max(1, Math.ceil((state.atMs - performance.now()) / 1000));
        this.#say(`Connection lost. Trying again in ${seconds} s`);
      };
      tick();
      this.#ticking = setInterval(tick, 500);
      return;
    }
    if (state.name === "connecting") {
      this.#say(this.#wasLost ? "Connection lost. Trying again now" : WORDS.connecting);
      return;
    }
    if (this.#wasLost && state.name === "live") tell("The connection is back");
    this.#wasLost = false;
    this.#say(state.name === "done" ? endWords(status) : WORDS[state.name]);
  }

  #say(words: string): void {
    const place = wordsOf(this.#line);
    if (place.textContent !== words) place.textContent = words;
  }
}

function endWords(status: ExecutionStatus | null): string {
  if (status?.logDropped) return "Ended; the log is no longer kept";
  if (status?.logState === "truncated") return "Ended; the log was too long to be kept whole";
  if (status?.logState === "gap") return "Ended; a part of the log could not be had";
  return status?.logState === "complete" ? "Ended; this is the whole log" : "Ended";
}
