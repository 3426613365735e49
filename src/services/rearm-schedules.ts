import { enqueue } from "../queue/enqueue.ts";
import { messagesThere } from "../queue/unlock.ts";
import type { Db, Tx } from "../store/connect.ts";
import { armedSchedules, armSchedule, lockArmedSchedule } from "../store/schedules.ts";

/**
 * Sends the message of schedules anew whose message is gone, or has not been handled in time: one
 * may be lost, or be held by a runner that lost its way.
 *
 * @returns How many were armed anew.
 */
export async function rearmSchedules(db: Db): Promise<number> {
  const armed = await armedSchedules(db);
  const there = await messagesThere(
    db,
    armed.flatMap(({ messageId }) => messageId ?? []),
  );
  const lost = armed.filter(
    ({ messageId, isOverdue }) => isOverdue || messageId === null || !there.has(messageId),
  );
  let rearmed = 0;
  for (const { jobId, messageId } of lost) {
    if (await db.transaction((tx) => rearm(tx, jobId, messageId))) rearmed += 1;
  }
  return rearmed;
}

async function rearm(tx: Tx, jobId: string, lostId: number | null): Promise<boolean> {
  const locked = await lockArmedSchedule(tx, jobId);
  // It may have been fired and armed by another message since it was looked at.
  if (locked === null || locked.schedule.messageId !== lostId) return false;
  const messageId = await enqueue(tx, "fire", { jobId }, locked.nextAt);
  await armSchedule(tx, jobId, locked.nextAt, messageId);
  return true;
}
