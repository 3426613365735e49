import { setTimeout as delay } from "node:timers/promises";
import type { Pause } from "../core/pruned.ts";
import type { Db } from "../store/connect.ts";
import { isLockBusy } from "../store/faults.ts";
import {
  type AgedDay,
  agedDays,
  bytesOfDay,
  copyFailed,
  dropCopies,
  dropDay,
  replaceDay,
} from "../store/kept-logs.ts";

const TRIES = 5;
const TRY_AGAIN_AFTER_MS = 500;

export interface PrunedLogs {
  /** The days of which no log is left. */
  dropped: string[];
  /** Those of which the logs are left of what failed. */
  thinned: string[];
  /** Those that it is time for, but logs were in use all the time: the next time comes. */
  busy: string[];
  /** What all that took. */
  bytes: number;
}

/** Whether something of a day has to go. */
export function isDue({ kept, hasOpen, othersAreOver, failedIsOver }: AgedDay): boolean {
  return !hasOpen && othersAreOver && (kept === "all" || failedIsOver);
}

/**
 * Drops the logs whose time is over, by whole days: a day goes when all its executions have ended and
 * the last of them has had its time, but what failed is kept for longer.
 */
export async function pruneLogs(
  db: Db,
  retention: { logsDays: number; failedLogsDays: number },
  pause: Pause,
): Promise<PrunedLogs> {
  const pruned: PrunedLogs = { dropped: [], thinned: [], busy: [], bytes: 0 };
  await dropCopies(db);
  for (const { day, failedIsOver } of (await agedDays(db, retention)).filter(isDue)) {
    await pause();
    const before = await bytesOfDay(db, day);
    const copy = failedIsOver ? null : await copyFailed(db, day, pause);
    const change = () => (copy === null ? dropDay(db, day) : replaceDay(db, day, copy));
    const isDone = await unlessBusy(change, pause);
    pruned[isDone ? (copy === null ? "dropped" : "thinned") : "busy"].push(day);
    if (isDone) pruned.bytes += before - (await bytesOfDay(db, day));
  }
  if (pruned.busy.length > 0) await dropCopies(db);
  return pruned;
}

/** @returns Whether it was done. */
async function unlessBusy(change: () => Promise<void>, pause: Pause): Promise<boolean> {
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    try {
      await change();
      return true;
    } catch (error) {
      if (!isLockBusy(error)) throw error;
    }
    await delay(TRY_AGAIN_AFTER_MS);
    await pause();
  }
  return false;
}
