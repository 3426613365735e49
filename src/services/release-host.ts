import type { Db } from "../store/connect.ts";
import { hostRecords } from "../store/host-records.ts";
import { type Lease, releaseLease } from "../store/hosts.ts";
import { notify } from "../store/notify.ts";
import { lockDispatch } from "./dispatch-pool.ts";

/**
 * Gives back the lease of a host that nobody is to be given any more, unless something has been
 * given to it all the same.
 *
 * @param pools Those that have had it: what they place right now is seen here, and nothing later.
 * @returns Whether the host is empty and the lease, where it was still held, is given back.
 */
export async function releaseEmptyHost(
  db: Db,
  lease: Lease,
  pools: readonly string[],
): Promise<boolean> {
  return await db.transaction(async (tx) => {
    for (const pool of [...pools].sort()) await lockDispatch(tx, pool);
    const running = (await hostRecords(tx, [lease.host])).get(lease.host)?.running ?? 0;
    if (running > 0) return false;
    await releaseLease(tx, lease);
    await notify(tx, { about: "lease" });
    return true;
  });
}
