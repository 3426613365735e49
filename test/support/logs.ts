import type { LogFrame, LogStream } from "../../src/core/log-frames.ts";

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

export async function textOfStream(parts: AsyncIterable<Uint8Array>): Promise<string> {
  return Buffer.concat(await Array.fromAsync(parts)).toString();
}
