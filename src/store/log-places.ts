import { sql } from "drizzle-orm";
import { instantToDate, unpackFrames } from "../core/log-frames.ts";
import type { LogStream } from "../core/log-streams.ts";
import type { Db } from "./connect.ts";
import { lastStoredFrame } from "./log-chunks.ts";
import type { LogHole } from "./read-frames.ts";
import { isOfLog, LOG_BEGIN, type LogPlace, newestChunks, sumOfBytes } from "./read-log.ts";
import { logChunks } from "./schema.ts";

/** How much there is of a stream, and where something of it may be left out. */
export interface StreamSize {
  bytes: number;
  /** In their order, each with the bytes of the stream that are before it. */
  holes: readonly (LogHole & { bytesBefore: number })[];
}

/** Counted by what chunks say of themselves: their data are not read. */
export async function sizeOfStream(
  db: Db,
  executionId: string,
  stream: LogStream,
): Promise<StreamSize> {
  const ofLog = await isOfLog(db, executionId);
  const rows = await db.execute<{
    seq: string;
    missing: string;
    before: string;
    bytes: number;
  }>(sql`
    SELECT seq, missing, before, bytes FROM (
      SELECT seq, bytes, seq - coalesce(lag(seq + frames) OVER in_order, 1) AS missing,
        sum(bytes) OVER in_order - bytes AS before,
        lead(seq) OVER in_order IS NULL AS is_last
      FROM (
        SELECT seq, frames, ${sumOfBytes([stream])} AS bytes
        FROM ${logChunks} WHERE ${ofLog}
      ) AS chunks WINDOW in_order AS (ORDER BY seq)
    ) AS counted
    WHERE missing > 0 OR is_last ORDER BY seq`);
  const last = rows.at(-1);
  return {
    bytes: last === undefined ? 0 : Number(last.before) + last.bytes,
    holes: rows.flatMap(({ seq, missing, before }) =>
      Number(missing) > 0
        ? [{ before: Number(seq), frames: Number(missing), bytesBefore: Number(before) }]
        : [],
    ),
  };
}

/** Where so many bytes of a stream have been written: before a hole that may be there. */
export async function placeOfByte(
  db: Db,
  executionId: string,
  stream: LogStream,
  offset: number,
): Promise<LogPlace> {
  if (offset === 0) return LOG_BEGIN;
  const ofLog = await isOfLog(db, executionId);
  const [row] = await db.execute<{ seq: string; before: string }>(sql`
    SELECT seq, upto - bytes AS before FROM (
      SELECT seq, bytes, sum(bytes) OVER (ORDER BY seq) AS upto FROM (
        SELECT seq, ${sumOfBytes([stream])} AS bytes
        FROM ${logChunks} WHERE ${ofLog}
      ) AS chunks
    ) AS counted
    WHERE upto >= ${offset} ORDER BY seq LIMIT 1`);
  if (row === undefined) return LOG_BEGIN;
  return { after: Number(row.seq) - 1, skipBytes: offset - Number(row.before) };
}

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
