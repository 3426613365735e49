import { setTimeout as delay } from "node:timers/promises";
import { type LogWrite, storeLogs } from "../services/store-logs.ts";
import type { Db } from "../store/connect.ts";
import { isDatabaseDown } from "../store/faults.ts";
import { LeaseLost } from "../store/hosts.ts";

/** Begins of transactions are at least so far apart: lines that come one by one share one. */
const WRITE_EVERY_MS = 25;
/** What one transaction carries at most, unless a single write is larger. */
const WRITE_BYTES = 8 * 1024 * 1024;
const LEAST_BYTES = 256 * 1024;
const WRITE_SEGMENTS = 4_000;

/**
 * Stores the logs of all hosts of a node in common transactions. A transaction for each host would
 * be one for nearly each line on a large farm, and their notifications take turns at the commit.
 */
export interface LogWriter {
  /**
   * Resolves when it is stored.
   *
   * @throws {LeaseLost} If another node owns the host by now; nothing of this write was stored.
   */
  write(write: LogWrite): Promise<void>;
}

interface Waiting {
  write: LogWrite;
  resolve(): void;
  reject(error: unknown): void;
}

export function createLogWriter(db: Db): LogWriter {
  let waiting: Waiting[] = [];
  let isWriting = false;
  let limitBytes = WRITE_BYTES;

  const writeAll = async () => {
    if (isWriting) return;
    isWriting = true;
    while (waiting.length > 0) {
      const pause = delay(WRITE_EVERY_MS);
      const count = countFitting(
        waiting.map(({ write }) => write),
        limitBytes,
      );
      const batch = waiting.slice(0, count);
      waiting = waiting.slice(count);
      // What took too long for one transaction is tried again in smaller ones.
      const isStored = await storeBatch(db, batch);
      limitBytes = isStored ? WRITE_BYTES : Math.max(LEAST_BYTES, limitBytes / 2);
      await pause;
    }
    isWriting = false;
  };

  return {
    async write(write) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      waiting.push({ write, resolve, reject });
      void writeAll();
      await promise;
    },
  };
}

/** Settles every write of the batch, and never rejects. @returns Whether the store took it. */
async function storeBatch(db: Db, batch: readonly Waiting[]): Promise<boolean> {
  try {
    const held = await storeLogs(
      db,
      batch.map(({ write }) => write),
    );
    for (const { write, resolve, reject } of batch) {
      if (held.has(write.lease)) resolve();
      else reject(new LeaseLost(write.lease));
    }
    return true;
  } catch (error) {
    // One that cannot be stored must not take those of other hosts with it.
    if (batch.length === 1 || isDatabaseDown(error)) for (const { reject } of batch) reject(error);
    else for (const each of batch) await storeBatch(db, [each]);
    return !isDatabaseDown(error);
  }
}

/** How many of them, from the first on, go into one transaction. */
function countFitting(writes: readonly LogWrite[], limitBytes: number): number {
  let bytes = 0;
  let segments = 0;
  const fitting = writes.findIndex((write) => {
    bytes += write.segments.reduce((sum, segment) => sum + segment.bytes, 0);
    segments += write.segments.length;
    return bytes > limitBytes || segments > WRITE_SEGMENTS;
  });
  return fitting < 0 ? writes.length : Math.max(1, fitting);
}
