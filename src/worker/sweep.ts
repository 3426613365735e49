import { messageOf } from "../core/errors.ts";
import type { PoolRule } from "../core/pool.ts";
import { dropDeadMessages, unlockMessagesOf } from "../queue/unlock.ts";
import { dispatchPool } from "../services/dispatch-pool.ts";
import type { Db } from "../store/connect.ts";
import { poolsWithWaiting } from "../store/executions.ts";
import { isDatabaseDown } from "../store/faults.ts";
import { listNodes, removeNodes } from "../store/nodes.ts";
import type { Log } from "./log.ts";
import { isGone } from "./process-identity.ts";
import { repeat } from "./repeat.ts";

const SWEEP_EVERY_MS = 5_000;

export interface SweepDeps {
  db: Db;
  pools: readonly PoolRule[];
  log: Log;
}

/** Sweeps every 5 s, so that a message or a notification that was lost costs no more than that. */
export function startSweep(deps: SweepDeps): { stop(): Promise<void> } {
  return repeat(SWEEP_EVERY_MS, async () => {
    try {
      await sweep(deps);
    } catch (error) {
      if (!isDatabaseDown(error)) deps.log.error({ error: messageOf(error) }, "sweep failed");
    }
  });
}

/** Makes sure from the rows alone that what should be done is done. */
export async function sweep({ db, pools, log }: SweepDeps): Promise<void> {
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
  const waiting = new Set(await poolsWithWaiting(db));
  for (const pool of pools) {
    if (waiting.has(pool.match)) await dispatchPool(db, pool);
  }
}
