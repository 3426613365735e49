import { setTimeout as delay } from "node:timers/promises";
import { LRUCache } from "lru-cache";
import type { NumberedFrame } from "../core/log-frames.ts";
import {
  type Carry,
  carryOf,
  decodeFrames,
  type TextFrame,
  textsAtTheEnd,
} from "../core/log-text.ts";
import type { Db } from "../store/connect.ts";
import { findExecutionById, isOpen } from "../store/executions.ts";
import { framesBefore, type LogStretch, readStretch } from "../store/read-frames.ts";
import type { Hints } from "./hints.ts";

/** The next stretch of a log, as one reader of it after the other gets it. */
export interface LogBlock extends LogStretch {
  /** The same frames as text. */
  texts: readonly TextFrame[];
  /** The execution has ended, and this is the last of its log. */
  isLast: boolean;
}

/**
 * Reads logs from the store for any number of readers on this node, each at its own pace. Those who
 * stand at the same place share one read, and blocks that were read lately are kept for those
 * behind. Who stalls holds nothing but the number of the frame that it is at.
 */
export interface LogReader {
  /**
   * What comes behind a frame.
   *
   * @param after The number of the frame; 0 is the beginning.
   * @returns `null` when nothing has come for some seconds, or when there may be something: ask again.
   */
  next(executionId: string, after: number): Promise<LogBlock | null>;
}

/** Of blocks that were read lately: what containers wrote, and what each frame takes besides. */
const KEPT_BYTES = 32 * 1024 * 1024;
/** Measured; a container may write nothing but ends of lines. */
const BYTES_OF_FRAME = 400;
/** Places at which characters may be cut in two. */
const KEPT_PLACES = 10_000;
/** A hint may be lost; so whoever waits looks by itself every so often. */
const LOOK_EVERY_MS = 5_000;

export function createLogReader({ db, hints }: { db: Db; hints: Hints }): LogReader {
  const blocks = new LRUCache<string, LogBlock>({ maxSize: KEPT_BYTES });
  const carries = new LRUCache<string, Carry>({ max: KEPT_PLACES });
  const reading = new Map<string, Promise<LogBlock | null>>();

  const blockBehind = async (executionId: string, after: number): Promise<LogBlock | null> => {
    const stretch = await readStretch(db, executionId, after);
    if (stretch.frames.length === 0) return null;
    const before =
      carries.get(placeOf(executionId, after)) ??
      carryOf(await framesBefore(db, executionId, after));
    const { texts, carry } = decodeFrames(stretch.frames, before);
    carries.set(placeOf(executionId, stretch.to), carry);
    const block = { ...stretch, texts, isLast: false };
    const size = stretch.frames.reduce((sum, { data }) => sum + data.length + BYTES_OF_FRAME, 0);
    blocks.set(placeOf(executionId, after), block, { size });
    return block;
  };

  const lookOrWait = async (executionId: string, after: number): Promise<LogBlock | null> => {
    const enough = new AbortController();
    const hint = hints.next(["log", "ended"], executionId, enough.signal);
    try {
      const block = await blockBehind(executionId, after);
      if (block !== null) return block;
      const execution = await findExecutionById(db, executionId);
      if (execution === null || !isOpen(execution.status)) {
        // The last of it may have come between the two looks.
        return (
          (await blockBehind(executionId, after)) ??
          lastBlock(after, await framesBefore(db, executionId, after))
        );
      }
      await Promise.race([hint, delay(LOOK_EVERY_MS, undefined, { signal: enough.signal })]);
      return null;
    } finally {
      enough.abort();
    }
  };

  return {
    async next(executionId, after) {
      const place = placeOf(executionId, after);
      const known = blocks.get(place) ?? reading.get(place);
      if (known !== undefined) return await known;
      const read = lookOrWait(executionId, after).finally(() => reading.delete(place));
      reading.set(place, read);
      return await read;
    },
  };
}

/** Behind all frames: nothing but characters that have no end. */
function lastBlock(after: number, ends: readonly NumberedFrame[]): LogBlock {
  const last = ends.reduce<NumberedFrame | null>(
    (newest, frame) => (newest === null || frame.seq > newest.seq ? frame : newest),
    null,
  );
  const texts = last === null ? [] : textsAtTheEnd(last, carryOf(ends));
  return {
    to: after,
    holes: [],
    frames: [],
    texts: texts.filter(({ seq }) => seq > after),
    isLast: true,
  };
}

const placeOf = (executionId: string, after: number) => `${executionId} ${after}`;
