import type { PoolRule } from "../core/pool.ts";
import { enqueue } from "../queue/enqueue.ts";
import {
  clearBlacklisted,
  type Remaining,
  remainingOn,
  setBlacklisted,
} from "../store/blacklist.ts";
import type { Db } from "../store/connect.ts";
import { lockDispatch } from "./dispatch-pool.ts";

/**
 * Blacklists a host: it is given nothing new from here on, on any node, and finishes what it runs.
 *
 * @param deadline When what still runs there is given up; `null` waits for ever, `undefined` leaves
 *   it as it was.
 * @returns What it waits for, and until when.
 */
export async function blacklistHost(
  db: Db,
  pools: readonly PoolRule[],
  host: string,
  deadline: Date | null | undefined,
): Promise<{ deadline: Date | null; waitsFor: Remaining[] }> {
  const names = pools.filter(({ hosts }) => hosts.includes(host)).map(({ match }) => match);
  return await db.transaction(async (tx) => {
    // A dispatch that is under way is over first, so that none that it placed is missing below.
    for (const name of names.sort()) await lockDispatch(tx, name);
    const until = await setBlacklisted(tx, host, deadline);
    return { deadline: until, waitsFor: await remainingOn(tx, host) };
  });
}

/** Lets a host have new executions again. @returns Its pools, for a dispatch at once. */
export async function liftBlacklist(
  db: Db,
  pools: readonly PoolRule[],
  host: string,
): Promise<string[]> {
  const names = pools.filter(({ hosts }) => hosts.includes(host)).map(({ match }) => match);
  await db.transaction(async (tx) => {
    if (!(await clearBlacklisted(tx, host))) return;
    for (const pool of names) await enqueue(tx, "dispatch", { pool });
  });
  return names;
}
