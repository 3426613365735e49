import type { Notification } from "../store/notify.ts";

/** About which executions there is something to read. */
export type Word = Extract<Notification, { executions: string[] }>;
type Topic = Word["about"];

/**
 * Wakes those who wait for something about an execution. A hint is no news: who is woken reads the
 * rows, and waits again when there is nothing new.
 */
export interface Hints {
  /** Resolves at the next word on one of the topics, or when words may have been lost. */
  next(topics: readonly Topic[], executionId: string, signal: AbortSignal): Promise<void>;
  /**
   * Tells of every word there is.
   *
   * @param ear Gets `null` when words may have been lost.
   * @returns What ends it.
   */
  listen(ear: (word: Word | null) => void): () => void;
  hear(notification: Notification): void;
  /** Words may have been lost: everybody looks. */
  wakeAll(): void;
}

export function createHints(): Hints {
  const waiting = new Map<string, Set<() => void>>();
  const ears = new Set<(word: Word | null) => void>();
  const wake = (key: string) => {
    for (const resolve of waiting.get(key) ?? []) resolve();
  };
  return {
    next: (topics, executionId, signal) =>
      new Promise((resolve) => {
        const keys = topics.map((topic) => `${topic} ${executionId}`);
        const done = () => {
          signal.removeEventListener("abort", done);
          for (const key of keys) leave(waiting, key, done);
          resolve();
        };
        for (const key of keys) waiting.set(key, (waiting.get(key) ?? new Set()).add(done));
        signal.addEventListener("abort", done);
        if (signal.aborted) done();
      }),
    listen(ear) {
      ears.add(ear);
      return () => ears.delete(ear);
    },
    hear(notification) {
      if (notification.about !== "log" && notification.about !== "ended") return;
      for (const ear of ears) ear(notification);
      for (const id of notification.executions) wake(`${notification.about} ${id}`);
    },
    wakeAll() {
      for (const ear of ears) ear(null);
      for (const key of [...waiting.keys()]) wake(key);
    },
  };
}

function leave(waiting: Map<string, Set<() => void>>, key: string, resolve: () => void): void {
  const others = waiting.get(key);
  others?.delete(resolve);
  if (others?.size === 0) waiting.delete(key);
}
