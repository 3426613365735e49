import type { LogFrame } from "../core/log-frames.ts";
import type { LogSegment, SizedSegment } from "../store/log-chunks.ts";
import { Abandoned } from "./persist.ts";

/** A chunk's bytes at most; a longer batch becomes several chunks. */
const CHUNK_BYTES = 256 * 1024;
/** A chunk's frames at most: each takes some 400 bytes in memory, were it an empty line. */
const CHUNK_FRAMES = 8_192;
/** What one write to the store carries at most, over all executions. */
const WRITE_BYTES = 4 * 1024 * 1024;
/** A reader waits while so much of its execution is not stored yet. */
const BACKLOG_BYTES = 1024 * 1024;

/** Gathers the logs of all executions on a host and stores them in common, few and large writes. */
export interface LogSink {
  /**
   * Takes frames to be stored. Resolves at once, or when the store has caught up with what it has
   * of this execution: memory stays bounded and the engine is read no faster than the store writes.
   */
  append(executionId: string, seq: number, frames: LogFrame[]): Promise<void>;
  /** Resolves when all that was appended of an execution is stored. */
  flush(executionId: string): Promise<void>;
  /**
   * Waits for the write that is under way and hands over what has not been written, which is then
   * the caller's to store or to forget.
   */
  takeRest(executionId: string): Promise<LogSegment[]>;
}

interface Backlog {
  segments: SizedSegment[];
  bytes: number;
}

export function createLogSink(deps: {
  /** Must bear to be called twice with the same segments. */
  store(segments: readonly SizedSegment[]): Promise<void>;
  /** Told once, when storing failed for good. */
  onFailure(error: unknown): void;
}): LogSink {
  const backlogs = new Map<string, Backlog>();
  let write: Promise<void> = Promise.resolve();
  let room = Promise.withResolvers<void>();
  let isWriting = false;
  let failed = false;

  const writeAll = async () => {
    if (isWriting) return;
    isWriting = true;
    try {
      while (backlogs.size > 0) {
        write = deps.store(takeBatch(backlogs));
        room.resolve();
        room = Promise.withResolvers();
        await write;
      }
    } catch (error) {
      failed = true;
      room.resolve();
      deps.onFailure(error);
    } finally {
      isWriting = false;
    }
  };
  const throwIfFailed = () => {
    if (failed) throw new Abandoned("Given up: the log cannot be stored by this node any more");
  };

  return {
    async append(executionId, seq, frames) {
      throwIfFailed();
      const backlog = backlogs.get(executionId) ?? { segments: [], bytes: 0 };
      backlogs.set(executionId, backlog);
      addFrames(backlog, executionId, seq, frames);
      void writeAll();
      while (backlog.bytes > BACKLOG_BYTES && backlogs.get(executionId) === backlog) {
        await room.promise;
        throwIfFailed();
      }
    },
    async flush(executionId) {
      throwIfFailed();
      while (backlogs.has(executionId)) {
        await room.promise;
        throwIfFailed();
      }
      await write.catch(() => {});
      throwIfFailed();
    },
    async takeRest(executionId) {
      throwIfFailed();
      const rest = backlogs.get(executionId)?.segments ?? [];
      backlogs.delete(executionId);
      await write.catch(() => {});
      throwIfFailed();
      return rest;
    },
  };
}

function addFrames(backlog: Backlog, executionId: string, seq: number, frames: LogFrame[]): void {
  let next = seq;
  for (const frame of frames) {
    const last = backlog.segments.at(-1);
    const bytes = frame.data.length;
    const isFull =
      last !== undefined &&
      (last.bytes + bytes > CHUNK_BYTES || last.frames.length >= CHUNK_FRAMES);
    if (last === undefined || isFull) {
      backlog.segments.push({ executionId, seq: next, frames: [frame], bytes });
    } else {
      last.frames.push(frame);
      last.bytes += bytes;
    }
    backlog.bytes += bytes;
    next += 1;
  }
}

/** Takes whole segments, from each execution in turn, and forgets those executions that are done. */
function takeBatch(backlogs: Map<string, Backlog>): SizedSegment[] {
  const batch: SizedSegment[] = [];
  let bytes = 0;
  for (const [executionId, backlog] of backlogs) {
    while (bytes < WRITE_BYTES) {
      const segment = backlog.segments.shift();
      if (segment === undefined) break;
      batch.push(segment);
      bytes += segment.bytes;
      backlog.bytes -= segment.bytes;
    }
    if (backlog.segments.length === 0) backlogs.delete(executionId);
    if (bytes >= WRITE_BYTES) break;
  }
  return batch;
}
