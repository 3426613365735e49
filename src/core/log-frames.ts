import { compress, decompress } from "#zstd";
import { LOG_STREAMS, type LogStream } from "./log-streams.ts";

/** A moment as Docker tells it: whole seconds since 1970 and the nanoseconds beyond them. */
export interface Instant {
  seconds: number;
  nanos: number;
}

/**
 * What Docker wrote at once: a line with its end, a part of 16 KiB of a longer one, or an unended
 * rest. A line of a pull has the time at which it was read: the engine tells none.
 */
export interface LogFrame {
  stream: LogStream;
  at: Instant;
  data: Uint8Array;
}

/** A frame with its number in the log of its execution, from 1. */
export interface NumberedFrame extends LogFrame {
  seq: number;
}

/** Frames as they stand in one row of the store: their bytes joined, and an index that parts them. */
export interface PackedFrames {
  count: number;
  stdoutBytes: number;
  stderrBytes: number;
  pullBytes: number;
  /** A header of 12 bytes (the first frame's time), then for each frame three varints: see `packFrames`. */
  index: Uint8Array;
  /** Compressed where that is worth it, as the index is then. */
  data: Uint8Array;
}

const HEADER_BYTES = 12;
/** Of a length 5, of seconds 8, of nanoseconds 5. */
const MAX_FRAME_BYTES = 18;

/** Set beside the first frame's nanoseconds, which need 30 bits, where a pull's frames are among them. */
const WITH_PULL = 0x8000_0000;
/** Set there, too, where what follows the header, and the data, are each a frame of zstd. */
const COMPRESSED = 0x4000_0000;
const NANOS = 0x3fff_ffff;

// Level 1 halves what Postgres' own compression leaves of a text, in a tenth of its time.
const ZSTD_LEVEL = 1;
/** Below this there is nothing to gain. */
const LEAST_COMPRESSED_BYTES = 256;

/** Nanoseconds from `from` to `to`; exact for spans below 104 days. */
export function nanosBetween(from: Instant, to: Instant): number {
  return (to.seconds - from.seconds) * 1e9 + (to.nanos - from.nanos);
}

export function instantOf(date: Date): Instant {
  const seconds = Math.floor(date.getTime() / 1000);
  return { seconds, nanos: (date.getTime() - seconds * 1000) * 1e6 };
}

export function instantToDate(at: Instant): Date {
  return new Date(at.seconds * 1000 + Math.floor(at.nanos / 1e6));
}

/**
 * Packs frames for the store. The index holds for each frame `length * 2 + (1 for stderr)`, in a
 * chunk with frames of a pull `length * 3 + (1 for stderr, 2 for the pull)`, then the seconds and the
 * nanoseconds since the frame before, zigzag coded: the times of two streams may cross, and a host's
 * clock that is put right may jump by years.
 */
export function packFrames(frames: readonly LogFrame[]): PackedFrames {
  const first = frames[0];
  if (first === undefined) throw new RangeError("Cannot pack a log chunk: it has no frames");
  const index = new Uint8Array(HEADER_BYTES + frames.length * MAX_FRAME_BYTES);
  const header = new DataView(index.buffer);
  header.setFloat64(0, first.at.seconds);
  const streams = frames.some(({ stream }) => stream === "pull") ? 3 : 2;
  header.setUint32(8, first.at.nanos + (streams === 3 ? WITH_PULL : 0));
  const data = new Uint8Array(frames.reduce((sum, frame) => sum + frame.data.length, 0));
  const bytes = { stdout: 0, stderr: 0, pull: 0 };
  let indexEnd = HEADER_BYTES;
  let dataEnd = 0;
  let previous = first.at;
  for (const frame of frames) {
    const length = frame.data.length;
    indexEnd = writeVarint(index, indexEnd, length * streams + LOG_STREAMS.indexOf(frame.stream));
    indexEnd = writeVarint(index, indexEnd, zigzag(frame.at.seconds - previous.seconds));
    indexEnd = writeVarint(index, indexEnd, zigzag(frame.at.nanos - previous.nanos));
    data.set(frame.data, dataEnd);
    dataEnd += length;
    bytes[frame.stream] += length;
    previous = frame.at;
  }
  return {
    count: frames.length,
    stdoutBytes: bytes.stdout,
    stderrBytes: bytes.stderr,
    pullBytes: bytes.pull,
    ...compressed(index.slice(0, indexEnd), data),
  };
}

/** As it is, where that makes it smaller by less than an eighth. */
function compressed(index: Uint8Array, data: Uint8Array): Pick<PackedFrames, "index" | "data"> {
  if (data.length < LEAST_COMPRESSED_BYTES) return { index, data };
  const smaller = compress(data, ZSTD_LEVEL);
  if (smaller.length > (data.length * 7) / 8) return { index, data };
  const times = compress(index.subarray(HEADER_BYTES), ZSTD_LEVEL);
  const flagged = new Uint8Array(HEADER_BYTES + times.length);
  flagged.set(index.subarray(0, HEADER_BYTES));
  flagged.set(times, HEADER_BYTES);
  const header = new DataView(flagged.buffer);
  header.setUint32(8, header.getUint32(8) + COMPRESSED);
  return { index: flagged, data: smaller };
}

/** The frames of a packed chunk, in their order; their data are views of the chunk's. */
export function unpackFrames(packed: { index: Uint8Array; data: Uint8Array }): LogFrame[] {
  const header = new DataView(packed.index.buffer, packed.index.byteOffset, HEADER_BYTES);
  const nanosAndFlags = header.getUint32(8);
  const streams = nanosAndFlags >= WITH_PULL ? 3 : 2;
  const isCompressed = (nanosAndFlags & COMPRESSED) !== 0;
  const plain = (bytes: Uint8Array) => (isCompressed ? decompress(bytes) : bytes);
  const index = plain(packed.index.subarray(HEADER_BYTES));
  const data = plain(packed.data);
  let at: Instant = { seconds: header.getFloat64(0), nanos: nanosAndFlags & NANOS };
  const frames: LogFrame[] = [];
  const cursor = { index, position: 0 };
  let start = 0;
  while (cursor.position < index.length) {
    const lengthAndStream = readVarint(cursor);
    const seconds = at.seconds + unzigzag(readVarint(cursor));
    at = { seconds, nanos: at.nanos + unzigzag(readVarint(cursor)) };
    const end = start + Math.floor(lengthAndStream / streams);
    const stream = LOG_STREAMS[lengthAndStream % streams] ?? "stdout";
    frames.push({ stream, at, data: data.subarray(start, end) });
    start = end;
  }
  return frames;
}

// Bit operations are of 32 bits in JavaScript; a length doubled and a jump of the clock need more.
const zigzag = (value: number) => (value >= 0 ? value * 2 : -value * 2 - 1);
const unzigzag = (value: number) => (value % 2 === 0 ? value / 2 : -(value + 1) / 2);

function writeVarint(target: Uint8Array, position: number, value: number): number {
  let rest = value;
  let next = position;
  while (rest >= 0x80) {
    target[next++] = (rest % 0x80) + 0x80;
    rest = Math.floor(rest / 0x80);
  }
  target[next++] = rest;
  return next;
}

function readVarint(cursor: { index: Uint8Array; position: number }): number {
  let value = 0;
  let scale = 1;
  for (;;) {
    const byte = cursor.index[cursor.position++];
    if (byte === undefined) throw new RangeError("Cannot read a log chunk: its index is cut short");
    if (byte < 0x80) return value + byte * scale;
    value += (byte - 0x80) * scale;
    scale *= 0x80;
  }
}
