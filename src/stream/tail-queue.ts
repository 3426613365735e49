import type { TextFrame } from "../core/log-text.ts";
import type { Status } from "../core/status.ts";

/** An execution that is followed. */
export interface Tailed {
  id: string;
  taskId: string;
  jobId: string;
  host: string | null;
  /** The partition in which its log is. */
  logDay: string;
}

/** What is told of an execution: one of these keys says what. */
export type TailEntry = { of: Tailed } & (
  | { kind: "began" }
  | { kind: "line"; line: TextFrame }
  /** Frames that are no longer kept, up to one. */
  | { kind: "gap"; seq: number; frames: number }
  | { kind: "ended"; status: Status }
);

export interface TailNews {
  /** How many lines were dropped before these. */
  missed: number;
  entries: readonly TailEntry[];
}

const MAX_ENTRIES = 10_000;
/** In UTF-16 units. */
const MAX_LENGTH = 2 * 1024 * 1024;
/** What an entry has besides its line. */
const ENTRY_LENGTH = 200;

/**
 * What waits for a reader. It is bounded: of a reader that falls behind the oldest is dropped, and
 * lines that are dropped are counted.
 */
export interface TailQueue {
  push(entry: TailEntry): void;
  /** The next of it, as much as goes out at once; none when there is nothing. */
  take(maxLength: number): TailNews | null;
  /** How full it is, from 0 to 1. */
  fill(): number;
}

/** @param onPush Called when there is something. */
export function createTailQueue(onPush: () => void): TailQueue {
  let entries: (TailEntry | undefined)[] = [];
  let [first, length, missed] = [0, 0, 0];
  const shift = () => {
    const entry = entries[first];
    entries[first] = undefined;
    first += 1;
    if (first > MAX_ENTRIES) {
      entries = entries.slice(first);
      first = 0;
    }
    if (entry !== undefined) length -= lengthOf(entry);
    return entry;
  };
  return {
    fill: () => Math.max((entries.length - first) / MAX_ENTRIES, length / MAX_LENGTH),
    push(entry) {
      entries.push(entry);
      length += lengthOf(entry);
      while (entries.length - first > MAX_ENTRIES || length > MAX_LENGTH) {
        if (shift()?.kind === "line") missed += 1;
      }
      onPush();
    },
    take(maxLength) {
      const news: TailEntry[] = [];
      let taken = 0;
      for (let next = entries[first]; next !== undefined; next = entries[first]) {
        taken += lengthOf(next);
        if (news.length > 0 && taken > maxLength) break;
        news.push(next);
        shift();
      }
      const before = missed;
      missed = 0;
      return news.length === 0 && before === 0 ? null : { missed: before, entries: news };
    },
  };
}

function lengthOf(entry: TailEntry): number {
  return ENTRY_LENGTH + (entry.kind === "line" ? entry.line.data.length : 0);
}
