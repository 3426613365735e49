import type { Tx } from "../store/connect.ts";
import { armSchedule, decidedTicks, insertTicks, lockArmedSchedule } from "../store/schedules.ts";

/**
 * No tick of a job's schedule comes any more. One that was due and has not been fired is in the
 * ledger as missed, unless it was decided before.
 *
 * @param why What ends the schedule, for people.
 * @returns Whether a tick would have come.
 */
export async function endSchedule(tx: Tx, jobId: string, why: string): Promise<boolean> {
  const armed = await lockArmedSchedule(tx, jobId);
  if (armed === null) return false;
  const { nextAt: at, now } = armed;
  const isDue = at <= now && (await decidedTicks(tx, jobId, [at])).size === 0;
  if (isDue) {
    const tick = { jobId, at, executionId: null, blockedBy: null };
    await insertTicks(tx, [{ ...tick, outcome: "missed", reason: `${why} before it was fired` }]);
  }
  await armSchedule(tx, jobId, null, null);
  return true;
}
