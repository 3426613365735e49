import { type SQL, sql } from "drizzle-orm";
import { unpackFrames } from "../core/log-frames.ts";
import type { LogStream } from "../core/log-streams.ts";
import type { Db } from "./connect.ts";
import { logDayOf } from "./log-days.ts";
import { logChunks } from "./schema.ts";

const NEWLINE = 0x0a;

/** A place in a log: behind the chunk `after`, and so many bytes further. */
export interface LogPlace {
  after: number;
  skipBytes: number;
}

export const LOG_BEGIN: LogPlace = { after: 0, skipBytes: 0 };

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
  for await (const row of newestChunks(db, executionId, streams)) {
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
export async function* newestChunks(
  db: Db,
  executionId: string,
  streams: readonly LogStream[],
  batchBytes = TAIL_BATCH_BYTES,
): AsyncGenerator<ChunkData> {
  const ofLog = await isOfLog(db, executionId);
  const bytes = sumOfBytes(streams);
  let before = Number.MAX_SAFE_INTEGER;
  for (;;) {
    const rows = await db.execute<{ seq: string; index: Uint8Array; data: Uint8Array }>(sql`
      SELECT seq, index, data FROM (
        SELECT seq, index, data, sum(bytes) OVER (ORDER BY seq DESC) - bytes AS newer_bytes
        FROM (
          SELECT seq, index, data, ${bytes} AS bytes FROM ${logChunks}
          WHERE ${ofLog} AND seq < ${before} AND ${bytes} > 0
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

/** The condition that picks a log's chunks; its partition is in it as a value. */
export async function isOfLog(db: Db, executionId: string): Promise<SQL> {
  return sql`day = ${await logDayOf(db, executionId)} AND execution_id = ${executionId}`;
}

/** How many bytes a chunk has of streams. */
export function sumOfBytes(streams: readonly LogStream[]): SQL {
  return sql.join(
    streams.map((stream) => BYTES[stream]),
    sql` + `,
  );
}

export function concat(parts: readonly { data: Uint8Array }[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.data.length, 0));
  let position = 0;
  for (const { data } of parts) {
    whole.set(data, position);
    position += data.length;
  }
  return whole;
}
