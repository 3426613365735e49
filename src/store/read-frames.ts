import { sql } from "drizzle-orm";
import { type NumberedFrame, unpackFrames } from "../core/log-frames.ts";
import { LOG_STREAMS } from "../core/log-streams.ts";
import type { Db } from "./connect.ts";
import { logDayOf } from "./log-days.ts";
import { logChunks } from "./schema.ts";

/** A log that came line by line has a chunk for each. */
const CHUNKS_AT_ONCE = 256;
/** Small enough that many readers at many places are no burden. */
const BYTES_AT_ONCE = 128 * 1024;

/** What a chunk takes in memory as frames, in bytes: of short lines that is more than their text. */
export const WEIGHT = sql`(stdout_bytes::bigint + stderr_bytes + pull_bytes + frames * 20)`;

/** Frames of a log that are no longer kept. */
export interface LogHole {
  /** The number of the first frame behind them. */
  before: number;
  /** How many they are. */
  frames: number;
}

/** A stretch of an execution's log. */
export interface LogStretch {
  /** The number of its last frame; where it has none, of the frame before it. */
  to: number;
  holes: readonly LogHole[];
  frames: readonly NumberedFrame[];
}

/** A chunk as it is stored. */
export interface ChunkRow extends Record<string, unknown> {
  seq: string;
  index: Uint8Array;
  data: Uint8Array;
}

/**
 * The next frames of all streams behind one, in their order; none where nothing is stored behind it.
 *
 * @param after The number of a frame; 0 is the beginning.
 */
export async function readStretch(db: Db, executionId: string, after: number): Promise<LogStretch> {
  const ofLog = sql`day = ${await logDayOf(db, executionId)} AND execution_id = ${executionId}`;
  const rows = await db.execute<ChunkRow>(sql`
    SELECT seq, index, data FROM (
      SELECT seq, index, data, sum(bytes) OVER (ORDER BY seq) - bytes AS before
      FROM (
        SELECT seq, index, data, ${WEIGHT} AS bytes FROM ${logChunks}
        WHERE ${ofLog} AND seq + frames > ${after + 1} AND seq >= coalesce((
          SELECT max(seq) FROM ${logChunks} WHERE ${ofLog} AND seq <= ${after + 1}
        ), 0)
        ORDER BY seq LIMIT ${CHUNKS_AT_ONCE}
      ) AS next
    ) AS chunks
    WHERE before <= ${BYTES_AT_ONCE} ORDER BY seq`);
  return stretchOf(rows, after);
}

/** What chunks have behind a frame. */
export function stretchOf(rows: readonly ChunkRow[], after: number): LogStretch {
  const frames: NumberedFrame[] = [];
  const holes: LogHole[] = [];
  let to = after;
  for (const row of rows) {
    const fresh = numbered(row).filter(({ seq }) => seq > after);
    const [first] = fresh;
    if (first !== undefined && first.seq > to + 1) {
      holes.push({ before: first.seq, frames: first.seq - to - 1 });
    }
    for (const frame of fresh) frames.push(frame);
    to = fresh.at(-1)?.seq ?? to;
  }
  return { to, holes, frames };
}

/** The frames of each stream that are the last up to a number: enough to know its last bytes. */
export async function framesBefore(
  db: Db,
  executionId: string,
  seq: number,
): Promise<NumberedFrame[]> {
  if (seq === 0) return [];
  const day = await logDayOf(db, executionId);
  const ends = await Promise.all(
    LOG_STREAMS.map(async (stream) => {
      const bytes = sql.identifier(`${stream}_bytes`);
      const rows = await db.execute<ChunkRow>(sql`
        SELECT seq, index, data FROM ${logChunks}
        WHERE day = ${day} AND execution_id = ${executionId} AND seq <= ${seq} AND ${bytes} > 0
        ORDER BY seq DESC LIMIT 4`);
      return [...rows]
        .reverse()
        .flatMap(numbered)
        .filter((frame) => frame.stream === stream && frame.seq <= seq)
        .slice(-4);
    }),
  );
  return ends.flat();
}

function numbered(row: ChunkRow): NumberedFrame[] {
  const first = Number(row.seq);
  return unpackFrames(row).map((frame, index) => ({ ...frame, seq: first + index }));
}
