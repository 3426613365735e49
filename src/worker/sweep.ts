import { messageOf } from "../core/errors.ts";
import { dropDeadMessages, unlockMessagesOf } from "../queue/unlock.ts";
import { rearmSchedules } from "../services/rearm-schedules.ts";
import type { Db } from "../store/connect.ts";
import { isDatabaseDown } from "../store/faults.ts";
import { dropOldKeys } from "../store/idempotency-keys.ts";
import { listNodes, removeNodes } from "../store/nodes.ts";
import { dropOldReceipts } from "../store/reconciliations.ts";
import type { Log } from "./log.ts";
import { isGone } from "./process-identity.ts";
import { type Repeated, repeat } from "./repeat.ts";

const SWEEP_EVERY_MS = 5_000;
/** Of rows whose time is over, for one sweep. */
const BATCH = 10_000;

export interface SweepDeps {
  db: Db;
  log: Log;
  /** Names of the pools of this node. */
  pools(): readonly string[];
  dispatch(pool: string): Promise<void>;
}

/** Sweeps every 5 s, so that a message or a notification that was lost costs no more than that. */
export function startSweep(deps: SweepDeps): Repeated {
  return repeat(SWEEP_EVERY_MS, async () => {
    try {
      await sweep(deps);
    } catch (error) {
      if (!isDatabaseDown(error)) deps.log.error({ error: messageOf(error) }, "sweep failed");
    }
  });
}

/** Makes sure from the rows alone that what should be done is done. */
export async function sweep({ db, log, pools, dispatch }: SweepDeps): Promise<void> {
  const gone = (await listNodes(db)).filter(({ process, isSilent }) => isSilent || isGone(process));
  if (gone.length > 0) {
    const queuePoolIds = await removeNodes(
      db,
      gone.map(({ id }) => id),
    );
    await unlockMessagesOf(db, queuePoolIds);
    log.info({ nodes: gone.length }, "removed nodes that are gone");
  }
  await dropDeadMessages(db);
  await dropOldKeys(db, BATCH);
  await dropOldReceipts(db, BATCH);
  const rearmed = await rearmSchedules(db);
  if (rearmed > 0) log.warn({ schedules: rearmed }, "armed schedules anew");
  for (const pool of pools()) await dispatch(pool);
}
