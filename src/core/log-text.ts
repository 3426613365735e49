import { instantToDate, type LogFrame, type NumberedFrame } from "./log-frames.ts";
import { LOG_STREAMS, type LogStream } from "./log-streams.ts";

/** A frame as text; a character that was split over frames is with the frame that completes it. */
export interface TextFrame {
  seq: number;
  stream: LogStream;
  /** ISO 8601, in UTC with milliseconds. */
  at: string;
  data: string;
}

/** The beginnings of characters at the ends of streams, of which the next frame has the rest. */
export type Carry = Readonly<Partial<Record<LogStream, Uint8Array>>>;

/** The longest beginning of a character that is not yet one. */
const MAX_CARRY_BYTES = 3;

const UTF_8 = new TextDecoder("utf-8", { ignoreBOM: true });
const EMPTY = new Uint8Array();

/**
 * Reads frames as UTF-8; what is none becomes U+FFFD. A frame with nothing but a part of a character
 * gives no text of its own.
 *
 * @param carry What the frames before left over.
 */
export function decodeFrames(
  frames: readonly NumberedFrame[],
  carry: Carry,
): { texts: TextFrame[]; carry: Carry } {
  const rest: Partial<Record<LogStream, Uint8Array>> = { ...carry };
  const texts: TextFrame[] = [];
  for (const { seq, stream, at, data } of frames) {
    const before = rest[stream] ?? EMPTY;
    const bytes = before.length === 0 ? data : Buffer.concat([before, data]);
    const whole = bytes.length - beginningOfCharacter(bytes);
    rest[stream] = bytes.slice(whole);
    if (whole === 0) continue;
    const text = UTF_8.decode(bytes.subarray(0, whole));
    texts.push({ seq, stream, at: instantToDate(at).toISOString(), data: text });
  }
  return { texts, carry: rest };
}

/**
 * What is left over when a log is over: characters without an end. They get numbers that no frame
 * has, so that nobody who goes on behind one of them is told it again.
 */
export function textsAtTheEnd(last: NumberedFrame, carry: Carry): TextFrame[] {
  return LOG_STREAMS.flatMap((stream, index) => {
    const bytes = carry[stream] ?? EMPTY;
    if (bytes.length === 0) return [];
    const at = instantToDate(last.at).toISOString();
    return [{ seq: last.seq + 1 + index, stream, at, data: UTF_8.decode(bytes) }];
  });
}

/** The ends of streams at a place, of which the beginning of a character may be needed. */
export function carryOf(frames: readonly LogFrame[]): Carry {
  const ends: Partial<Record<LogStream, Uint8Array>> = {};
  for (const { stream, data } of frames) {
    const bytes = Buffer.concat([ends[stream] ?? EMPTY, data.subarray(-MAX_CARRY_BYTES)]);
    ends[stream] = bytes.subarray(-MAX_CARRY_BYTES);
  }
  return Object.fromEntries(
    Object.entries(ends).map(([stream, bytes]) => [
      stream,
      bytes.slice(bytes.length - beginningOfCharacter(bytes)),
    ]),
  );
}

/** How many bytes at the end may become a character by what follows: 0 to 3. */
function beginningOfCharacter(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(MAX_CARRY_BYTES, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return byte < 0xf8 && lengthOf(byte) > back ? back : 0;
  }
  return 0;
}

const lengthOf = (lead: number) => (lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2);
