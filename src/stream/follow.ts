import type { LogStream } from "../core/log-frames.ts";
import type { Db } from "../store/connect.ts";
import { findExecutionById, isOpen } from "../store/executions.ts";
import { type LogPlace, readChunks } from "../store/read-log.ts";
import type { Hints } from "./hints.ts";

/**
 * What executions write, from a place in their log on, until they have ended and all of it is read.
 * Reads the store at the reader's pace, woken by hints.
 *
 * @param streams Which of both, in the order in which they were written.
 * @param signal Ends it early.
 */
export async function* followLog(
  { db, hints }: { db: Db; hints: Hints },
  executionId: string,
  { streams, from }: { streams: readonly LogStream[]; from: LogPlace },
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let place = from;
  while (!signal.aborted) {
    const woken = new AbortController();
    const hint = hints.next(["log", "ended"], executionId, AbortSignal.any([signal, woken.signal]));
    try {
      // First whether it has ended: then what is read after that is all.
      const execution = await findExecutionById(db, executionId);
      const hasEnded = execution === null || !isOpen(execution.status);
      for await (const { data, next } of readChunks(db, executionId, streams, place)) {
        place = next;
        yield data;
      }
      if (hasEnded) return;
      await hint;
    } finally {
      woken.abort();
    }
  }
}

/** Resolves with the execution when it has ended, or as it is when the signal says so. */
export async function untilEnded(
  { db, hints }: { db: Db; hints: Hints },
  executionId: string,
  signal: AbortSignal,
): ReturnType<typeof findExecutionById> {
  for (;;) {
    const hint = hints.next(["ended"], executionId, signal);
    const execution = await findExecutionById(db, executionId);
    if (execution === null || !isOpen(execution.status) || signal.aborted) return execution;
    await hint;
  }
}
