import * as v from "valibot";
import { LOG_STREAMS, type LogStream } from "../core/log-streams.ts";

/** What was written at once, byte for byte where the server can tell it. */
export interface ClientFrame {
  kind: "frame";
  seq: number;
  stream: LogStream;
  /** ISO 8601. */
  at: string;
  data: Uint8Array;
}

/** Frames that the server no longer has. */
export interface FrameGap {
  kind: "gap";
  seq: number;
  frames: number;
}

const Head = { seq: v.number(), stream: v.picklist(LOG_STREAMS), at: v.string() };
const Line = v.union([
  v.object({ ...Head, data: v.string() }),
  v.object({ ...Head, base64: v.string() }),
  v.object({ seq: v.number(), gap: v.object({ frames: v.number() }) }),
]);

const UTF_8 = new TextEncoder();

/** A frame as it stands in an event or a line of `format=ndjson`; `null` when it is none. */
export function frameOf(json: string): ClientFrame | FrameGap | null {
  const result = v.safeParse(Line, parsed(json));
  if (!result.success) return null;
  const line = result.output;
  if ("gap" in line) return { kind: "gap", seq: line.seq, frames: line.gap.frames };
  const { seq, stream, at } = line;
  const data = "data" in line ? UTF_8.encode(line.data) : Buffer.from(line.base64, "base64");
  return { kind: "frame", seq, stream, at, data };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}
