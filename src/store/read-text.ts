import { type SQL, sql } from "drizzle-orm";
import { unpackFrames } from "../core/log-frames.ts";
import type { LogStream } from "../core/log-streams.ts";
import type { Db } from "./connect.ts";
import type { LogHole } from "./read-frames.ts";
import { concat, isOfLog, LOG_BEGIN, type LogPlace, sumOfBytes } from "./read-log.ts";
import { logChunks } from "./schema.ts";

/** What was written, or that something is left out there. */
export type TextPart = { data: Uint8Array } | { hole: LogHole };

/** A log that came line by line has a chunk for each. */
const CHUNKS_AT_ONCE = 256;
const BYTES_AT_ONCE = 256 * 1024;

interface ChunkRow extends Record<string, unknown> {
  seq: string;
  frames: number;
  missing: string;
  bytes: number;
  index: Uint8Array;
  data: Uint8Array;
}

/**
 * What was written to streams, in its order, some chunks at a time, never whole in memory.
 *
 * @param from Where to begin; `skipBytes` counts those of these streams alone.
 */
export async function* readText(
  db: Db,
  executionId: string,
  streams: readonly LogStream[],
  from: LogPlace = LOG_BEGIN,
): AsyncGenerator<TextPart> {
  const ofLog = await isOfLog(db, executionId);
  let { after, skipBytes } = from;
  for (;;) {
    const rows = await chunksBehind(db, ofLog, streams, after);
    const data: Uint8Array[] = [];
    for (const row of rows) {
      const [seq, missing] = [Number(row.seq), Number(row.missing)];
      if (missing > 0) {
        yield* joined(data.splice(0));
        yield { hole: { before: seq, frames: missing } };
      }
      if (row.bytes > skipBytes) {
        const frames = unpackFrames(row).filter(({ stream }) => streams.includes(stream));
        data.push(concat(frames).subarray(skipBytes));
      }
      skipBytes = Math.max(0, skipBytes - row.bytes);
      after = seq + row.frames - 1;
    }
    yield* joined(data);
    if (rows.length === 0) return;
  }
}

/** The next chunks that have something of the streams, or have a hole before them. */
async function chunksBehind(
  db: Db,
  ofLog: SQL,
  streams: readonly LogStream[],
  after: number,
): Promise<readonly ChunkRow[]> {
  // Postgres reads no further than the limit, and the bytes of what is left over not at all.
  return await db.execute<ChunkRow>(sql`
    SELECT seq, frames, missing, bytes, index, data FROM (
      SELECT *, sum(bytes) OVER (ORDER BY seq) - bytes AS before FROM (
        SELECT * FROM (
          SELECT seq, frames, index, data, ${sumOfBytes(streams)} AS bytes,
            seq - coalesce(lag(seq + frames) OVER (ORDER BY seq), ${after + 1}) AS missing
          FROM ${logChunks} WHERE ${ofLog} AND seq > ${after}
        ) AS all_streams
        WHERE bytes > 0 OR missing > 0 ORDER BY seq LIMIT ${CHUNKS_AT_ONCE}
      ) AS next
    ) AS chunks
    WHERE before <= ${BYTES_AT_ONCE} ORDER BY seq`);
}

function* joined(parts: readonly Uint8Array[]): Generator<TextPart> {
  const [first] = parts;
  if (first !== undefined) yield { data: parts.length === 1 ? first : Buffer.concat(parts) };
}
