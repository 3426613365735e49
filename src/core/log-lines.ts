import type { LogFrame } from "./log-frames.ts";

const NEWLINE = 0x0a;
const UNENDED = { stdout: 1, stderr: 2 } as const;

export interface LineCounts {
  /** Newlines on stdout and stderr; the pull's lines are nobody's output. */
  lines: number;
  /** The streams whose last byte is no newline: 1 for stdout, 2 for stderr, 3 for both. */
  unended: number;
}

export function countLines(frames: readonly LogFrame[]): LineCounts {
  let lines = 0;
  let unended = 0;
  for (const { stream, data } of frames) {
    if (stream === "pull" || data.length === 0) continue;
    for (let at = data.indexOf(NEWLINE); at >= 0; at = data.indexOf(NEWLINE, at + 1)) lines += 1;
    const bit = UNENDED[stream];
    unended = data.at(-1) === NEWLINE ? unended & ~bit : unended | bit;
  }
  return { lines, unended };
}
