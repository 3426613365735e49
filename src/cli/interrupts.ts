import type { ReadStream } from "node:tty";
import type { StatusLine } from "../terminal/status-line.ts";
import { EXIT_CODES } from "./exit-codes.ts";

type Key = "stop" | "goOn" | "detach" | "none";

/** What the signals of a user come to while an execution is followed. */
export interface InterruptDeps {
  /** The standard input when it is a terminal and stderr is one too: then the user is asked. */
  terminal: Pick<ReadStream, "setRawMode" | "on" | "off" | "resume" | "pause"> | null;
  status: StatusLine;
  /** How what would be stopped is called. */
  name(): string;
  /** @param code With which to end when nothing tells a better one. */
  stop(code: number): void;
  /** The execution is left to itself, and this process ends. */
  leave(code: number): void;
}

const CONTROL_C = 0x03;

/**
 * Sees to SIGINT, SIGTERM and SIGHUP until it is disposed of. On a terminal the first Ctrl-C asks,
 * the second stops, the third leaves; elsewhere nobody can be asked, so the first one stops.
 */
export function watchInterrupts(deps: InterruptDeps): Disposable {
  const { terminal, status } = deps;
  let isAsking = false;
  let isStopping = false;

  const onKeys = (bytes: Uint8Array): void => {
    for (const byte of bytes) answer(keyOf(byte));
  };
  const ask = (): void => {
    isAsking = true;
    terminal?.setRawMode(true);
    terminal?.on("data", onKeys);
    terminal?.resume();
    const keys = "y stops it, n goes on, d leaves it running";
    status.ask(`Stop ${deps.name()}? ${keys}`);
  };
  const unask = (): void => {
    if (!isAsking) return;
    isAsking = false;
    terminal?.off("data", onKeys);
    terminal?.setRawMode(false);
    terminal?.pause();
    status.ask(null);
  };
  const stop = (code: number): void => {
    unask();
    if (isStopping) {
      deps.leave(code);
      return;
    }
    isStopping = true;
    status.ask(`Stopping ${deps.name()}; Ctrl-C leaves it to that`);
    deps.stop(code);
  };
  const answer = (key: Key): void => {
    if (!isAsking) return;
    if (key === "stop") stop(EXIT_CODES.interrupted);
    else if (key === "detach") {
      unask();
      deps.leave(0);
    } else if (key === "goOn") unask();
  };
  const onInterrupt = (): void => {
    if (terminal !== null && !isAsking && !isStopping) ask();
    else stop(EXIT_CODES.interrupted);
  };
  const onTerminate = (): void => stop(EXIT_CODES.terminated);
  const onHangup = (): void => deps.leave(EXIT_CODES.hangup);

  process.on("SIGINT", onInterrupt).on("SIGTERM", onTerminate).on("SIGHUP", onHangup);
  return {
    [Symbol.dispose]() {
      unask();
      process.off("SIGINT", onInterrupt).off("SIGTERM", onTerminate).off("SIGHUP", onHangup);
    },
  };
}

/** In raw mode the terminal sends no signal for Ctrl-C. */
function keyOf(byte: number): Key {
  const char = String.fromCharCode(byte).toLowerCase();
  if (byte === CONTROL_C || char === "y") return "stop";
  if (char === "d") return "detach";
  return char === "n" || char === "\u001b" || char === "\r" || char === "\n" ? "goOn" : "none";
}
