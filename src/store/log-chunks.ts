import { and, asc, desc, eq, gt, gte, sql } from "drizzle-orm";
import type { LogFrame } from "../core/log-frames.ts";
import { instantToDate, nanosBetween, packFrames, unpackFrames } from "../core/log-frames.ts";
import { countLines } from "../core/log-lines.ts";
import type { Db, Tx } from "./connect.ts";
import { note } from "./deeds.ts";
import { logDayOf, logDaysOf } from "./log-days.ts";
import { executions, logChunks } from "./schema.ts";

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

/**
 * Segments that are stored already are left as they are: a commit whose answer was lost is repeated.
 *
 * @throws {RangeError} If one is of an execution that there is not.
 */
export async function insertLogSegments(tx: Tx, segments: readonly LogSegment[]): Promise<void> {
  if (segments.length === 0) return;
  const days = await logDaysOf(tx, [...new Set(segments.map(({ executionId }) => executionId))]);
  const rows = segments.map(({ executionId, seq, frames }) => {
    const day = days.get(executionId);
    if (day === undefined) throw new RangeError(`Cannot store a log: no execution ${executionId}`);
    const packed = packFrames(frames);
    return {
      day,
      ...countLines(frames),
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
  const stored = await tx.insert(logChunks).values(rows).onConflictDoNothing().returning({
    bytes: sql<number>`stdout_bytes + stderr_bytes + pull_bytes`,
  });
  note(tx, { kind: "logged", bytes: stored.reduce((sum, { bytes }) => sum + bytes, 0) });
}

/** The number of the last frame that is stored of an execution; 0 when there is none. */
export async function lastStoredFrame(db: Db | Tx, executionId: string): Promise<number> {
  const day = await logDayOf(db, executionId);
  if (day === null) return 0;
  const [row] = await db
    .select({ last: sql<string>`${logChunks.seq} + ${logChunks.frames} - 1` })
    .from(logChunks)
    .where(and(eq(logChunks.day, day), eq(logChunks.executionId, executionId)))
    .orderBy(desc(logChunks.seq))
    .limit(1);
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
  const [execution] = await db
    .select({ day: executions.logDay, cutTo: executions.logCutTo })
    .from(executions)
    .where(eq(executions.id, executionId));
  if (execution === undefined) return { framesBefore: 0, frames: [] };
  const { day, cutTo } = execution;
  const ofContainer = and(
    eq(logChunks.day, day),
    eq(logChunks.executionId, executionId),
    // Frames are counted on from the first of these: none may be missing behind it.
    gt(logChunks.seq, Math.max(base, cutTo ?? 0)),
  );
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
          sql`coalesce((SELECT max(seq) FROM fastlane.log_chunks WHERE day = ${day}
            AND execution_id = ${executionId}
            AND last_at < ${windowStart.toISOString()}::timestamptz), 1)`,
        ),
      ),
    )
    .orderBy(asc(logChunks.seq));
  const frames = rows.flatMap(unpackFrames);
  return { framesBefore: (rows[0]?.seq ?? base + 1) - 1 - base, frames };
}

function newestOf(frames: readonly LogFrame[]): Date {
  let newest = frames[0];
  for (const frame of frames) {
    if (newest === undefined || nanosBetween(newest.at, frame.at) > 0) newest = frame;
  }
  if (newest === undefined) throw new RangeError("A log segment has at least one frame");
  return instantToDate(newest.at);
}
