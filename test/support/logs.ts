import type { LogFrame } from "../../src/core/log-frames.ts";
import type { LogStream } from "../../src/core/log-streams.ts";
import type { TextPart } from "../../src/store/read-text.ts";

/** A part of a log with a frame for each text, a second apart. */
export function segmentOf(
  executionId: string,
  seq: number,
  texts: string | readonly string[],
  stream: LogStream = "stdout",
) {
  const frames: LogFrame[] = [texts].flat().map((text, i) => ({
    stream,
    at: { seconds: seq + i, nanos: 0 },
    data: new TextEncoder().encode(text),
  }));
  const bytes = frames.reduce((sum, { data }) => sum + data.length, 0);
  return { executionId, seq, frames, bytes };
}

/** What is there, without a word of what is left out. */
export async function textOfStream(parts: AsyncIterable<TextPart>): Promise<string> {
  const bytes = (await Array.fromAsync(parts)).flatMap((part) => ("data" in part ? part.data : []));
  return Buffer.concat(bytes).toString();
}
