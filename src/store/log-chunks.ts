import { and, asc, desc, eq, gt, gte, or, sql } from "drizzle-orm";
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
      pullBytes: packed.pullBytes,
      lastAt: newestOf(frames),
      index: packed.index,
      data: packed.data,
    };
  });
  await tx.insert(logChunks).values(rows).onConflictDoNothing();
}

/** The number of the last frame that is stored of an execution; 0 when there is none. */
export async function lastStoredFrame(db: Db, executionId: string): Promise<number> {
  const [row] = await db
    .select({ last: sql<string | null>`max(${logChunks.seq} + ${logChunks.frames} - 1)` })
    .from(logChunks)
    .where(eq(logChunks.executionId, executionId));
  return Number(row?.last ?? 0);
}

/**
 * The end of what is stored of a container's log: enough frames to find the place in its own.
 *
 * @param base How many frames of the execution were stored before the container's first one.
 * @returns Of the container's frames, how many came before those given, and these.
 */
export async function storedLogEnd(
  db: Db,
  executionId: string,
  base: number,
): Promise<{ framesBefore: number; frames: LogFrame[] }> {
  const ofContainer = and(eq(logChunks.executionId, executionId), gt(logChunks.seq, base));
  const [last] = await db
    .select({ seq: logChunks.seq, lastAt: logChunks.lastAt })
    .from(logChunks)
    .where(ofContainer)
    .orderBy(desc(logChunks.seq))
    .limit(1);
  if (last === undefined) return { framesBefore: 0, frames: [] };
  const windowStart = new Date(last.lastAt.getTime() - RESUME_WINDOW_SECONDS * 1000);
  const rows = await db
    .select({ seq: logChunks.seq, index: logChunks.index, data: logChunks.data })
    .from(logChunks)
    .where(
      and(
        ofContainer,
        gte(
          logChunks.seq,
          sql`coalesce((SELECT max(seq) FROM fastlane.log_chunks WHERE execution_id = ${executionId}
            AND last_at < ${windowStart.toISOString()}::timestamptz), 1)`,
        ),
      ),
    )
    .orderBy(asc(logChunks.seq));
  const frames = rows.flatMap(unpackFrames);
  return { framesBefore: (rows[0]?.seq ?? base + 1) - 1 - base, frames };
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
          or(...streams.map((stream) => gt(BYTES[stream], 0))),
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
  // The newline at the very end ends the last line, and begins no further one.
  let wanted = lines + 1;
  let isVeryEnd = true;
  for await (const row of newestChunks(db, executionId, streams, TAIL_BATCH_BYTES)) {
    const data = concat(unpackFrames(row).filter(({ stream }) => streams.includes(stream)));
    if (isVeryEnd && data.at(-1) !== NEWLINE) wanted -= 1;
    isVeryEnd = false;
    for (let at = data.lastIndexOf(NEWLINE); at >= 0; at = data.lastIndexOf(NEWLINE, at - 1)) {
      wanted -= 1;
      if (wanted === 0) return { after: row.seq - 1, skipBytes: at + 1 };
      if (at === 0) break;
    }
  }
  return LOG_BEGIN;
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
  for await (const row of newestChunks(db, executionId, [stream], maxBytes)) {
    const part = concat(unpackFrames(row).filter((frame) => frame.stream === stream));
    parts.unshift(part);
    have += part.length;
    if (have > maxBytes) break;
  }
  const all = concat(parts.map((data) => ({ data })));
  return { data: all.slice(Math.max(0, have - maxBytes)), truncated: have > maxBytes };
}

/** How many chunks are read from a log's end on at once. */
const TAIL_BATCH = 256;
const TAIL_BATCH_BYTES = 64 * 1024;

interface ChunkData {
  seq: number;
  index: Uint8Array;
  data: Uint8Array;
}

/**
 * The chunks that have something of the streams, the newest first. A log that came line by line has
 * a chunk for each, so they are read many at a time.
 *
 * @param batchBytes A read ends with the chunk that goes beyond it.
 */
async function* newestChunks(
  db: Db,
  executionId: string,
  streams: readonly LogStream[],
  batchBytes: number,
): AsyncGenerator<ChunkData> {
  const bytes = sql.join(
    streams.map((stream) => BYTES[stream]),
    sql` + `,
  );
  let before = Number.MAX_SAFE_INTEGER;
  for (;;) {
    const rows = await db.execute<{ seq: string; index: Uint8Array; data: Uint8Array }>(sql`
      SELECT seq, index, data FROM (
        SELECT seq, index, data, sum(bytes) OVER (ORDER BY seq DESC) - bytes AS newer_bytes
        FROM (
          SELECT seq, index, data, ${bytes} AS bytes FROM ${logChunks}
          WHERE execution_id = ${executionId} AND seq < ${before} AND ${bytes} > 0
          ORDER BY seq DESC LIMIT ${TAIL_BATCH}
        ) AS newest
      ) AS chunks
      WHERE newer_bytes <= ${batchBytes}
      ORDER BY seq DESC`);
    for (const { seq, index, data } of rows) yield { seq: Number(seq), index, data };
    const last = rows.at(-1);
    if (last === undefined) return;
    before = Number(last.seq);
  }
}

const BYTES = {
  stdout: logChunks.stdoutBytes,
  stderr: logChunks.stderrBytes,
  pull: logChunks.pullBytes,
};

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
