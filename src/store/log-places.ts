import { sql } from "drizzle-orm";
import { instantToDate, type LogStream, unpackFrames } from "../core/log-frames.ts";
import type { Db } from "./connect.ts";
import { lastStoredFrame } from "./log-chunks.ts";
import { isOfLog, type LogPlace, newestChunks, sumOfBytes } from "./read-log.ts";
import { logChunks } from "./schema.ts";

/** A place in a log, by its bytes and by the number of the frame that is before it. */
export interface FramePlace {
  place: LogPlace;
  frame: number;
}

/**
 * Where the first frame of the streams is that is as late as a time, by its own; the end of what is
 * stored where none is. All that is behind it was written later, whatever the host's clock said.
 */
export async function placeOfTime(
  db: Db,
  executionId: string,
  streams: readonly LogStream[],
  since: Date,
): Promise<FramePlace> {
  const end = await lastStoredFrame(db, executionId);
  const ofLog = await isOfLog(db, executionId);
  let after = 0;
  for (;;) {
    const [row] = await db.execute<{ seq: string; index: Uint8Array; data: Uint8Array }>(sql`
      SELECT seq, index, data FROM ${logChunks}
      WHERE ${ofLog} AND seq > ${after} AND ${sumOfBytes(streams)} > 0
        AND last_at >= ${since.toISOString()}::timestamptz
      ORDER BY seq LIMIT 1`);
    if (row === undefined) return { place: { after: end, skipBytes: 0 }, frame: end };
    after = Number(row.seq);
    const frames = unpackFrames(row);
    const isOf = ({ stream }: { stream: LogStream }) => streams.includes(stream);
    const at = frames.findIndex((frame) => isOf(frame) && instantToDate(frame.at) >= since);
    if (at < 0) continue;
    const skipBytes = frames
      .slice(0, at)
      .reduce((sum, frame) => sum + (isOf(frame) ? frame.data.length : 0), 0);
    return { place: { after: after - 1, skipBytes }, frame: after - 1 + at };
  }
}

/** The number of the frame behind which the last ones of the streams are; 0 where all are among them. */
export async function frameOfTail(
  db: Db,
  executionId: string,
  streams: readonly LogStream[],
  frames: number,
): Promise<number> {
  let wanted = frames;
  for await (const row of newestChunks(db, executionId, streams)) {
    for (const [index, { stream }] of [...unpackFrames(row).entries()].reverse()) {
      if (!streams.includes(stream)) continue;
      wanted -= 1;
      if (wanted === 0) return row.seq - 1 + index;
    }
  }
  return 0;
}

export function laterOf(left: LogPlace, right: LogPlace): LogPlace {
  const isLater =
    right.after === left.after ? right.skipBytes > left.skipBytes : right.after > left.after;
  return isLater ? right : left;
}
