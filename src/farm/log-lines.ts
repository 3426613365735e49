import type { Instant, LogFrame } from "../core/log-frames.ts";

const HEADER_BYTES = 8;
const STDERR = 2;
/** `2026-11-23T23:19:42.063052350` and then `Z` or an offset, and a space. */
const NANOS_END = 29;
const LONGEST_TIME = 36;
const SPACE = 0x20;
const ZERO = 0x30;
const ZULU = 0x5a;
const MINUS = 0x2d;

/**
 * Parts the engine's multiplexed log stream (asked for with timestamps) into frames.
 *
 * dockerode's own `demuxStream` calls itself for each frame: some 7,000 short lines in one chunk
 * overflow the stack, and its work grows with the square of them.
 */
export async function* demultiplex(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<LogFrame[]> {
  let rest: Uint8Array = new Uint8Array(0);
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : joined(rest, chunk);
    const { frames, end } = framesOf(bytes);
    rest = bytes.slice(end);
    if (frames.length > 0) yield frames;
  }
}

function framesOf(bytes: Uint8Array): { frames: LogFrame[]; end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames: LogFrame[] = [];
  let position = 0;
  while (position + HEADER_BYTES <= bytes.length) {
    const payload = position + HEADER_BYTES;
    const end = payload + view.getUint32(position + 4);
    if (end > bytes.length) break;
    const space = bytes.subarray(payload, payload + LONGEST_TIME).indexOf(SPACE);
    if (space < NANOS_END) throw new Error("Cannot read the log: a frame has no time");
    frames.push({
      stream: bytes[position] === STDERR ? "stderr" : "stdout",
      at: instantAt(bytes, payload, payload + space),
      data: bytes.slice(payload + space + 1, end),
    });
    position = end;
  }
  return { frames, end: position };
}

/** Reads an RFC 3339 time with nine decimals. */
function instantAt(bytes: Uint8Array, start: number, end: number): Instant {
  const digits = (from: number, count: number) => {
    let value = 0;
    for (let i = start + from; i < start + from + count; i++) {
      value = value * 10 + (bytes[i] ?? ZERO) - ZERO;
    }
    return value;
  };
  const utcMs = Date.UTC(
    digits(0, 4),
    digits(5, 2) - 1,
    digits(8, 2),
    digits(11, 2),
    digits(14, 2),
    digits(17, 2),
  );
  const nanos = digits(20, 9);
  if (bytes[end - 1] === ZULU) return { seconds: utcMs / 1000, nanos };
  // An engine whose host is not on UTC tells its local time with the offset.
  const offset = digits(NANOS_END + 1, 2) * 3600 + digits(NANOS_END + 4, 2) * 60;
  const isWest = bytes[start + NANOS_END] === MINUS;
  return { seconds: utcMs / 1000 + (isWest ? offset : -offset), nanos };
}

function joined(left: Uint8Array, right: Uint8Array): Uint8Array {
  const both = new Uint8Array(left.length + right.length);
  both.set(left);
  both.set(right, left.length);
  return both;
}

/** The moment as the engine takes it for `since`: a number would lose its nanoseconds. */
export function sinceText(at: Instant): string {
  return `${at.seconds}.${String(at.nanos).padStart(9, "0")}`;
}
