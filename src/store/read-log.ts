import { and, asc, eq, gt, or, sql } from "drizzle-orm";
import type { LogStream } from "../core/log-frames.ts";
import { unpackFrames } from "../core/log-frames.ts";
import type { Db } from "./connect.ts";
import { logDayOf } from "./log-days.ts";
import { logChunks } from "./schema.ts";

const READ_BATCH = 32;
const NEWLINE = 0x0a;

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
  const day = await logDayOf(db, executionId);
  if (day === null) return;
  let { after, skipBytes } = from;
  for (;;) {
    const rows = await db
      .select({ seq: logChunks.seq, index: logChunks.index, data: logChunks.data })
      .from(logChunks)
      .where(
        and(
          eq(logChunks.day, day),
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
  const day = await logDayOf(db, executionId);
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
          WHERE day = ${day} AND execution_id = ${executionId} AND seq < ${before} AND ${bytes} > 0
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

function concat(parts: readonly { data: Uint8Array }[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.data.length, 0));
  let position = 0;
  for (const { data } of parts) {
    whole.set(data, position);
    position += data.length;
  }
  return whole;
}
