import { setTimeout as delay } from "node:timers/promises";
import type { LogStream } from "../core/log-streams.ts";
import { createTailQueue, type TailEntry, type TailNews } from "./tail-queue.ts";

/** Which executions, and what of them. */
export interface TailFilter {
  task: string | null;
  /** `null` is all. */
  hosts: readonly string[] | null;
  /** Regular expressions that the task id must all fit, as Postgres reads them. */
  matches: readonly string[];
  /** In which order is of no account. */
  streams: readonly LogStream[];
}

/** What a reader of many logs has. */
export interface TailReader {
  /**
   * What comes next, as soon as there is something.
   *
   * @param maxLength About how much at most, in UTF-16 units.
   * @returns `null` when there will be nothing any more.
   */
  next(maxLength: number): Promise<TailNews | null>;
  close(): void;
}

/** The other side of a reader. */
export interface TailMember {
  readonly filter: TailFilter;
  readonly reader: TailReader;
  readonly isClosed: boolean;
  /** What ended before was over when the reader came. In UNIX seconds by the clock of Postgres. */
  joinedAt: number;
  tell(entry: TailEntry): void;
  /**
   * Waits for a reader that is only a little behind. One that has used up the patience there is
   * makes nobody wait again before it has caught up.
   */
  giveWay(): Promise<void>;
}

const PATIENCE_MS = 250;

export function createTailMember(
  filter: TailFilter,
  onClose: (member: TailMember) => void,
): TailMember {
  let isClosed = false;
  let wake = () => {};
  let onTaken = () => {};
  let patienceMs = PATIENCE_MS;
  const queue = createTailQueue(() => wake());
  const member: TailMember = {
    filter,
    get isClosed() {
      return isClosed;
    },
    joinedAt: Number.POSITIVE_INFINITY,
    tell: (entry) => queue.push(entry),
    async giveWay() {
      while (!isClosed && patienceMs > 0 && queue.fill() > 0.5) {
        const begun = performance.now();
        const taken = new Promise<void>((resolve) => {
          onTaken = resolve;
        });
        await Promise.race([taken, delay(patienceMs)]);
        patienceMs -= performance.now() - begun;
      }
    },
    reader: {
      async next(maxLength) {
        for (;;) {
          if (isClosed) return null;
          const news = queue.take(maxLength);
          if (queue.fill() === 0) patienceMs = PATIENCE_MS;
          onTaken();
          if (news !== null) return news;
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      },
      close() {
        if (isClosed) return;
        isClosed = true;
        wake();
        onTaken();
        onClose(member);
      },
    },
  };
  return member;
}
