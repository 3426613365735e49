import { and, asc, desc, eq, gt, gte, lt, or, sql } from "drizzle-orm";
import type { LogFrame, LogStream } from "../core/log-frames.ts";
import { instantToDate, nanosBetween, packFrames, unpackFrames } from "../core/log-frames.ts";
import type { Db, Tx } from "./connect.ts";
import { logChunks } from "./schema.ts";

/** Neighbouring frames of one execution's log. */
export interface LogSegment {
  executionId: string;
  /** The number of the first frame, from 1. */
  seq: number;
  frames: LogFrame[];
}

/** One whose bytes have been counted. */
export interface SizedSegment extends LogSegment {
  bytes: number;
}

/** How far back from its end a log is read to find where to go on, in seconds. */
const RESUME_WINDOW_SECONDS = 5;
const READ_BATCH = 32;
const NEWLINE = 0x0a;

/** Segments that are stored already are left as they are: a commit whose answer was lost is repeated. */
export async function insertLogSegments(tx: Tx, segments: readonly LogSegment[]): Promise<void> {
  if (segments.length === 0) return;
  const rows = segments.map(({ executionId, seq, frames }) => {
    const packed = packFrames(frames);
    return {
      executionId,
      seq,
      frames: packed.count,
      stdoutBytes: packed.stdoutBytes,
      stderrBytes: packed.stderrBytes,
      lastAt: newestOf(frames),
      index: packed.index,
      data: packed.data,
    };
  });
  await tx.insert(logChunks).values(rows).onConflictDoNothing();
}

/** The end of what is stored of a log: enough frames to find the place in the container's own. */
export async function storedLogEnd(
  db: Db,
  executionId: string,
): Promise<{ framesBefore: number; frames: LogFrame[] }> {
  const ofExecution = eq(logChunks.executionId, executionId);
  const [last] = await db
    .select({ seq: logChunks.seq, lastAt: logChunks.lastAt })
    .from(logChunks)
    .where(ofExecution)
    .orderBy(desc(logChunks.seq))
    .limit(1);
  if (last === undefined) return { framesBefore: 0, frames: [] };
  const windowStart = new Date(last.lastAt.getTime() - RESUME_WINDOW_SECONDS * 1000);
  const rows = await db
    .select({ seq: logChunks.seq, index: logChunks.index, data: logChunks.data })
    .from(logChunks)
    .where(
      and(
        ofExecution,
        gte(
          logChunks.seq,
          sql`coalesce((SELECT max(seq) FROM fastlane.log_chunks WHERE execution_id = ${executionId}
            AND last_at < ${windowStart.toISOString()}::timestamptz), 1)`,
        ),
      ),
    )
    .orderBy(asc(logChunks.seq));
  const frames = rows.flatMap(unpackFrames);
  return { framesBefore: (rows[0]?.seq ?? 1) - 1, frames };
}

/** A place in a log: behind the chunk `after`, and so many bytes further. */
export interface LogPlace {
  after: number;
  skipBytes: number;
}

export const LOG_BEGIN: LogPlace = { after: 0, skipBytes: 0 };

/**
 * What was written to the streams, in its order, chunk by chunk, never whole in memory.
 *
 * @param from Where to begin; `skipBytes` counts those of these streams alone.
 */
export async function* readChunks(
  db: Db,
  executionId: string,
  streams: readonly LogStream[],
  from: LogPlace,
): AsyncGenerator<{ data: Uint8Array; next: LogPlace }> {
  let { after, skipBytes } = from;
  for (;;) {
    const rows = await db
      .select({ seq: logChunks.seq, index: logChunks.index, data: logChunks.data })
      .from(logChunks)
      .where(
        and(
          eq(logChunks.executionId, executionId),
          gt(logChunks.seq, after),
          or(...streams.map((stream) => gt(bytesOf(stream), 0))),
        ),
      )
      .orderBy(asc(logChunks.seq))
      .limit(READ_BATCH);
    for (const row of rows) {
      const all = concat(unpackFrames(row).filter(({ stream }) => streams.includes(stream)));
      yield { data: all.subarray(skipBytes), next: { after: row.seq, skipBytes: 0 } };
      skipBytes = 0;
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < READ_BATCH) return;
    after = last.seq;
  }
}

/** The bytes of one stream, batch by batch. */
export async function* readStream(
  db: Db,
  executionId: string,
  stream: LogStream,
  from: LogPlace = LOG_BEGIN,
): AsyncGenerator<Uint8Array> {
  for await (const { data } of readChunks(db, executionId, [stream], from)) yield data;
}

/** Where the last lines of the streams begin; an unended rest counts as a line. */
export async function placeOfTail(
  db: Db,
  executionId: string,
  streams: readonly LogStream[],
  lines: number,
): Promise<LogPlace> {
  let before = Number.MAX_SAFE_INTEGER;
  // The newline at the very end ends the last line, and begins no further one.
  let wanted = lines + 1;
  let isVeryEnd = true;
  for (;;) {
    const row = await lastChunkBefore(db, executionId, streams, before);
    if (row === null) return LOG_BEGIN;
    const data = concat(unpackFrames(row).filter(({ stream }) => streams.includes(stream)));
    if (isVeryEnd && data.at(-1) !== NEWLINE) wanted -= 1;
    isVeryEnd = false;
    for (let at = data.lastIndexOf(NEWLINE); at >= 0; at = data.lastIndexOf(NEWLINE, at - 1)) {
      wanted -= 1;
      if (wanted === 0) return { after: row.seq - 1, skipBytes: at + 1 };
      if (at === 0) break;
    }
    before = row.seq;
  }
}

/** The last bytes of one stream, and whether there are more before them. */
export async function readTail(
  db: Db,
  executionId: string,
  stream: LogStream,
  maxBytes: number,
): Promise<{ data: Uint8Array; truncated: boolean }> {
  const parts: Uint8Array[] = [];
  let have = 0;
  let before = Number.MAX_SAFE_INTEGER;
  while (have <= maxBytes) {
    const row = await lastChunkBefore(db, executionId, [stream], before);
    if (row === null) break;
    const part = concat(unpackFrames(row).filter((frame) => frame.stream === stream));
    parts.unshift(part);
    have += part.length;
    before = row.seq;
  }
  const all = concat(parts.map((data) => ({ data })));
  return { data: all.slice(Math.max(0, have - maxBytes)), truncated: have > maxBytes };
}

/** The newest chunk below a number that has something of the streams. */
async function lastChunkBefore(
  db: Db,
  executionId: string,
  streams: readonly LogStream[],
  before: number,
): Promise<{ seq: number; index: Uint8Array; data: Uint8Array } | null> {
  const [row] = await db
    .select({ seq: logChunks.seq, index: logChunks.index, data: logChunks.data })
    .from(logChunks)
    .where(
      and(
        eq(logChunks.executionId, executionId),
        lt(logChunks.seq, before),
        or(...streams.map((stream) => gt(bytesOf(stream), 0))),
      ),
    )
    .orderBy(desc(logChunks.seq))
    .limit(1);
  return row ?? null;
}

const bytesOf = (stream: LogStream) =>
  stream === "stdout" ? logChunks.stdoutBytes : logChunks.stderrBytes;

function newestOf(frames: readonly LogFrame[]): Date {
  let newest = frames[0];
  for (const frame of frames) {
    if (newest === undefined || nanosBetween(newest.at, frame.at) > 0) newest = frame;
  }
  if (newest === undefined) throw new RangeError("A log segment has at least one frame");
  return instantToDate(newest.at);
}

function concat(parts: readonly { data: Uint8Array }[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.data.length, 0));
  let position = 0;
  for (const { data } of parts) {
    whole.set(data, position);
    position += data.length;
  }
  return whole;
}
