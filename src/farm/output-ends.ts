import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { LogStream } from "../core/log-streams.ts";
import { attach } from "./attach.ts";
import type { OutputEnds } from "./host.ts";

const HEADER_BYTES = 8;
const STDERR = 2;
const NEWLINE = 0x0a;
/** The engine closes the stream soon after the container has ended. */
const CLOSES_WITHIN_MS = 2_000;

/** Attaches to a container's output, and remembers no more of it than the last byte of each stream. */
export async function watchOutput(
  open: () => Promise<Duplex>,
  containerId: string,
  signal: AbortSignal,
): Promise<OutputEnds> {
  const output = await attach(open, containerId, signal);
  const last: Partial<Record<LogStream, number>> = {};
  let isWhole = false;
  const reading = (async () => {
    await rememberEnds(output, last);
    isWhole = true;
  })().catch(() => {});
  return {
    async endedWithNewline(stream) {
      await Promise.race([reading, delay(CLOSES_WITHIN_MS)]);
      const byte = last[stream];
      return isWhole && byte !== undefined ? byte === NEWLINE : null;
    },
  };
}

/** Goes through the engine's multiplexed stream without keeping it. */
async function rememberEnds(
  chunks: AsyncIterable<Uint8Array>,
  last: Partial<Record<LogStream, number>>,
): Promise<void> {
  const header = new Uint8Array(HEADER_BYTES);
  let headerBytes = 0;
  let left = 0;
  for await (const chunk of chunks) {
    let position = 0;
    while (position < chunk.length) {
      if (left === 0) {
        header[headerBytes++] = chunk[position++] ?? 0;
        if (headerBytes < HEADER_BYTES) continue;
        headerBytes = 0;
        left = new DataView(header.buffer).getUint32(4);
      } else {
        const taken = Math.min(left, chunk.length - position);
        position += taken;
        left -= taken;
        last[header[0] === STDERR ? "stderr" : "stdout"] = chunk[position - 1] ?? 0;
      }
    }
  }
}
