import type { ActBy } from "../core/audit.ts";
import { writeAudit } from "../store/audit.ts";
import { askForChore, type ChoreState, choreState } from "../store/chores.ts";
import type { Db } from "../store/connect.ts";
import { notify } from "../store/notify.ts";

/** The chore by which one node prunes for all. */
export const PRUNE_CHORE = "housekeeping";
export const PRUNE_EVERY_SECONDS = 3_600;

/** How it is with pruning: the last time, and the next. */
export interface PruneState extends ChoreState {
  nextAt: Date | null;
}

/** Has some worker prune at once; whoever is at it does it once more. */
export async function askForPrune(db: Db, by: ActBy): Promise<PruneState> {
  await db.transaction(async (tx) => {
    await askForChore(tx, PRUNE_CHORE);
    await writeAudit(tx, { by, action: "prune" });
    await notify(tx, { about: "chore" });
  });
  return await pruneState(db);
}

export async function pruneState(db: Db): Promise<PruneState> {
  const state = await choreState(db, PRUNE_CHORE);
  const nextAt =
    state.lastAt === null ? null : new Date(state.lastAt.getTime() + PRUNE_EVERY_SECONDS * 1_000);
  return { ...state, nextAt };
}
