import { instantToDate, type NumberedFrame } from "../core/log-frames.ts";
import type { LogStream } from "../core/log-streams.ts";
import type { LogHole } from "../store/read-frames.ts";
import type { LogBlock } from "../stream/log-reader.ts";

/** How a reader wants a log. */
export interface LogForm {
  format: "text" | "json";
  /** Whether a message is an array of frames. */
  isBatch: boolean;
  /** In which order is of no account. */
  streams: readonly LogStream[];
  /** Whether frames of JSON that are not UTF-8 by themselves have their bytes in base64. */
  isExact: boolean;
}

/** A part of a log as it goes over a socket. */
export interface LogMessage {
  text: string;
  /** The number of the last frame that it has. */
  to: number;
  /** It tells of frames that are no longer kept. */
  isGap?: true;
}

/** A message is not longer, in UTF-16 units, unless a single frame is. */
const MESSAGE_LENGTH = 32 * 1024;

const encoded = new WeakMap<LogBlock, Map<string, readonly LogMessage[]>>();

/** A block's messages; made once for all readers who want the same. */
export function messagesOf(block: LogBlock, form: LogForm): readonly LogMessage[] {
  const forms = encoded.get(block) ?? new Map<string, readonly LogMessage[]>();
  encoded.set(block, forms);
  const key = `${form.format} ${form.isBatch} ${form.isExact} ${form.streams.join(" ")}`;
  const known = forms.get(key) ?? joined(partsOf(block, form), form);
  forms.set(key, known);
  return known;
}

function* partsOf(block: LogBlock, form: LogForm): Generator<LogMessage> {
  const { format, streams } = form;
  const holes = [...block.holes];
  for (const frame of form.isExact ? block.frames.map(exactFrame) : block.texts) {
    while ((holes[0]?.before ?? Number.POSITIVE_INFINITY) <= frame.seq) {
      const hole = holes.shift();
      if (hole !== undefined) yield gapMessage(hole, format);
    }
    if (!streams.includes(frame.stream)) continue;
    const isText = format === "text" && "data" in frame;
    yield { to: frame.seq, text: isText ? frame.data : JSON.stringify(frame) };
  }
}

const STRICT_UTF_8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A frame as its bytes are, also where a character is cut in two. */
function exactFrame({ seq, stream, at, data }: NumberedFrame) {
  const frame = { seq, stream, at: instantToDate(at).toISOString() };
  try {
    return { ...frame, data: STRICT_UTF_8.decode(data) };
  } catch {
    return { ...frame, base64: Buffer.from(data).toString("base64") };
  }
}

function gapMessage({ before, frames }: LogHole, format: "text" | "json"): LogMessage {
  const seq = before - 1;
  const text = format === "text" ? gapText(frames) : JSON.stringify({ seq, gap: { frames } });
  return { to: seq, text, isGap: true };
}

/** What stands in a text for what of a log is no longer kept, maxLogBytes being reached: a line of its own. */
export function gapText(frames: number): string {
  const what = frames === 1 ? "1 line is" : `${frames} lines are`;
  return `[fastlane: ${what} left out here, of both streams together: the log is longer than maxLogBytes]\n`;
}

const UTF_8 = new TextEncoder();

export function gapBytes({ frames }: LogHole): Uint8Array {
  return UTF_8.encode(gapText(frames));
}

const joinedBytes = new WeakMap<LogBlock, Map<string, Uint8Array>>();

/** What a block has of streams, byte for byte; made once for all readers who want the same. */
export function bytesOf(block: LogBlock, streams: readonly LogStream[]): Uint8Array {
  const forms = joinedBytes.get(block) ?? new Map<string, Uint8Array>();
  joinedBytes.set(block, forms);
  const key = streams.join(" ");
  const known = forms.get(key) ?? Buffer.concat([...rawPartsOf(block, streams)]);
  forms.set(key, known);
  return known;
}

function* rawPartsOf(block: LogBlock, streams: readonly LogStream[]): Generator<Uint8Array> {
  const holes = [...block.holes];
  for (const { seq, stream, data } of block.frames) {
    while ((holes[0]?.before ?? Number.POSITIVE_INFINITY) <= seq) {
      const hole = holes.shift();
      if (hole !== undefined) yield gapBytes(hole);
    }
    if (streams.includes(stream)) yield data;
  }
}

/** A block's frames as lines of JSON. */
export function linesOf(
  block: LogBlock,
  { streams, isExact }: Pick<LogForm, "streams" | "isExact">,
): Uint8Array {
  const messages = messagesOf(block, { format: "json", isBatch: false, streams, isExact });
  return UTF_8.encode(messages.map(({ text }) => `${text}\n`).join(""));
}

function joined(parts: Iterable<LogMessage>, { format, isBatch }: LogForm): LogMessage[] {
  if (format === "json" && !isBatch) return [...parts];
  const groups: LogMessage[][] = [];
  let length = Number.POSITIVE_INFINITY;
  for (const part of parts) {
    if (length + part.text.length > MESSAGE_LENGTH) {
      groups.push([]);
      length = 0;
    }
    length += part.text.length;
    groups.at(-1)?.push(part);
  }
  return groups.map((group) => {
    const texts = group.map(({ text }) => text);
    return {
      to: group.at(-1)?.to ?? 0,
      text: format === "text" ? texts.join("") : `[${texts.join(",")}]`,
    };
  });
}
