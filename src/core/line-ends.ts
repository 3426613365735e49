import type { Instant, LogFrame } from "./log-frames.ts";
import type { LogStream } from "./log-streams.ts";

/** Docker cuts a longer line into parts of this size; its last part is always shorter. */
const PART_BYTES = 16 * 1024;
const NEWLINE = 0x0a;

/** What the last frame of a stream was: a part with more to come, or perhaps the last of its parts. */
type State = "whole" | "part" | "maybe ended";

/**
 * Puts back the newline that the `local` log driver drops behind a line of more than 16 KiB.
 *
 * The last part of such a line comes without its newline, and so does the rest of an output that
 * ends without one. Which it was shows by what follows: a rest is the last frame of its stream. So
 * the newline is put before the stream's next frame, and what is owed at the end is asked for.
 */
export class LineEnds {
  readonly #states: Record<LogStream, State> = { stdout: "whole", stderr: "whole", pull: "whole" };
  #latest: Instant = { seconds: 0, nanos: 0 };

  /** Takes the engine's next frame; gives it as it is to be stored. */
  restore(frame: LogFrame): LogFrame {
    const owes = this.#states[frame.stream] === "maybe ended";
    this.#advance(frame, frame.data);
    if (!owes) return frame;
    const data = new Uint8Array(frame.data.length + 1);
    data[0] = NEWLINE;
    data.set(frame.data, 1);
    return { ...frame, data };
  }

  /** Goes past a frame that was restored and stored before. */
  pass(stored: LogFrame): void {
    const owes = this.#states[stored.stream] === "maybe ended";
    this.#advance(stored, owes ? stored.data.subarray(1) : stored.data);
  }

  isOwing(stream: LogStream): boolean {
    return this.#states[stream] === "maybe ended";
  }

  /**
   * What stands behind the last frame when all is over.
   *
   * @param endedWithNewline Whether the stream's very last byte was a newline, when that is known;
   *   a line that long is taken to have had its end when it is not.
   */
  atTheEnd(endedWithNewline: (stream: "stdout" | "stderr") => boolean | null): LogFrame[] {
    return (["stdout", "stderr"] as const)
      .filter((stream) => this.isOwing(stream))
      .filter((stream) => endedWithNewline(stream) ?? true)
      .map((stream) => ({ stream, at: this.#latest, data: new Uint8Array([NEWLINE]) }));
  }

  #advance({ stream, at }: LogFrame, data: Uint8Array): void {
    const endsLine = data.at(-1) === NEWLINE;
    if (!endsLine && data.length >= PART_BYTES) this.#states[stream] = "part";
    else if (endsLine || this.#states[stream] !== "part") this.#states[stream] = "whole";
    else this.#states[stream] = "maybe ended";
    this.#latest = at;
  }
}
