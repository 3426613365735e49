import { and, asc, desc, eq, gt, gte, lt, sql } from "drizzle-orm";
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

/** How far back from its end a log is read to find where to go on, in seconds. */
const RESUME_WINDOW_SECONDS = 5;
const READ_BATCH = 32;

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

/** The bytes of one stream from its beginning, batch by batch, never whole in memory. */
export async function* readStream(
  db: Db,
  executionId: string,
  stream: LogStream,
): AsyncGenerator<Uint8Array> {
  let after = 0;
  for (;;) {
    const rows = await db
      .select({ seq: logChunks.seq, index: logChunks.index, data: logChunks.data })
      .from(logChunks)
      .where(
        and(
          eq(logChunks.executionId, executionId),
          gt(logChunks.seq, after),
          gt(bytesOf(stream), 0),
        ),
      )
      .orderBy(asc(logChunks.seq))
      .limit(READ_BATCH);
    for (const row of rows) {
      yield concat(unpackFrames(row).filter((frame) => frame.stream === stream));
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < READ_BATCH) return;
    after = last.seq;
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
    const [row] = await db
      .select({ seq: logChunks.seq, index: logChunks.index, data: logChunks.data })
      .from(logChunks)
      .where(
        and(
          eq(logChunks.executionId, executionId),
          lt(logChunks.seq, before),
          gt(bytesOf(stream), 0),
        ),
      )
      .orderBy(desc(logChunks.seq))
      .limit(1);
    if (row === undefined) break;
    const part = concat(unpackFrames(row).filter((frame) => frame.stream === stream));
    parts.unshift(part);
    have += part.length;
    before = row.seq;
  }
  const all = concat(parts.map((data) => ({ data })));
  return { data: all.slice(Math.max(0, have - maxBytes)), truncated: have > maxBytes };
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
