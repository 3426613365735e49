import { LOG_STREAMS, type LogStream } from "./log-streams.ts";
import type { TextFrame } from "./log-text.ts";

/** Lines that are begun at the ends of streams, of which the rest is still to come. */
export type BegunLines = Readonly<Partial<Record<LogStream, TextFrame>>>;

/** A line that grows beyond so many UTF-16 units is given in pieces. */
const MAX_LENGTH = 64 * 1024;

/**
 * Joins frames to lines, each stream for itself. A line has the number of its last frame, and the
 * time of its first.
 *
 * @param begun What the frames before left over.
 */
export function wholeLines(
  texts: readonly TextFrame[],
  begun: BegunLines,
): { lines: TextFrame[]; begun: BegunLines } {
  const rest: Partial<Record<LogStream, TextFrame>> = { ...begun };
  const lines: TextFrame[] = [];
  for (const { seq, stream, at, data } of texts) {
    for (const piece of data.split(/(?<=\n)/)) {
      const before = rest[stream];
      const line = { seq, stream, at: before?.at ?? at, data: (before?.data ?? "") + piece };
      const isWhole = piece.endsWith("\n") || line.data.length >= MAX_LENGTH;
      if (isWhole) lines.push(line);
      if (isWhole) delete rest[stream];
      else rest[stream] = line;
    }
  }
  return { lines, begun: rest };
}

/** What is left over when a log is over: last lines without an end. */
export function unendedLines(begun: BegunLines): TextFrame[] {
  return LOG_STREAMS.flatMap((stream) => begun[stream] ?? []);
}
