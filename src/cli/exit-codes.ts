import type { State } from "../client/events.ts";

/** Of `fastlane run`, where it is not the container's own; as those of `docker run` and `timeout`. */
export const EXIT_CODES = {
  timedOut: 124,
  /** fastlane could not be asked, or nothing ran. */
  notRun: 125,
  hangup: 129,
  interrupted: 130,
  /** As of what SIGPIPE ended: nobody reads stdout any more. */
  readerGone: 141,
  terminated: 143,
} as const;

/** @param asked The code of the signal by which this process asked for the stop, if it did. */
export function exitCodeOf(state: State, asked: number | null): number {
  if (state.status === "timedout") return EXIT_CODES.timedOut;
  if (state.exitCode !== null) return state.exitCode;
  if (state.status === "stopped") return asked ?? EXIT_CODES.terminated;
  return state.status === "done" ? 0 : EXIT_CODES.notRun;
}
