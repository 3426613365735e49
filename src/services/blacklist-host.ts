import type { ActBy, AuditDetails } from "../core/audit.ts";
import type { PoolRule } from "../core/pool.ts";
import { enqueue } from "../queue/enqueue.ts";
import { writeAudit } from "../store/audit.ts";
import {
  clearBlacklisted,
  type Remaining,
  remainingOn,
  setBlacklisted,
} from "../store/blacklist.ts";
import type { Db } from "../store/connect.ts";
import { lockDispatch } from "./dispatch-pool.ts";

/** How a host is to be blacklisted. */
export interface BlacklistAsked {
  host: string;
  /** What it is called in the audit. */
  action: "blacklist" | "drain";
  /** When what still runs there is given up; `null` waits for ever, `undefined` leaves it as it was. */
  deadline: Date | null | undefined;
}

/**
 * Blacklists a host: it is given nothing new from here on, on any node, and finishes what it runs.
 *
 * @returns What it waits for, and until when.
 */
export async function blacklistHost(
  db: Db,
  pools: readonly PoolRule[],
  { host, action, deadline }: BlacklistAsked,
  by: ActBy,
): Promise<{ deadline: Date | null; waitsFor: Remaining[] }> {
  const names = pools.filter(({ hosts }) => hosts.includes(host)).map(({ match }) => match);
  return await db.transaction(async (tx) => {
    // A dispatch that is under way is over first, so that none that it placed is missing below.
    for (const name of names.sort()) await lockDispatch(tx, name);
    const holds = await setBlacklisted(tx, host, deadline);
    const until = holds.deadline?.toISOString() ?? null;
    const details: AuditDetails = action === "drain" ? { deadline: until } : {};
    if (holds.isNew) await writeAudit(tx, { by, action, host, details });
    return { deadline: holds.deadline, waitsFor: await remainingOn(tx, host) };
  });
}

/** Lets a host have new executions again. @returns Its pools, for a dispatch at once. */
export async function liftBlacklist(
  db: Db,
  pools: readonly PoolRule[],
  host: string,
  by: ActBy,
): Promise<string[]> {
  const names = pools.filter(({ hosts }) => hosts.includes(host)).map(({ match }) => match);
  await db.transaction(async (tx) => {
    if (!(await clearBlacklisted(tx, host))) return;
    for (const pool of names) await enqueue(tx, "dispatch", { pool });
    await writeAudit(tx, { by, action: "blacklist.lift", host });
  });
  return names;
}
