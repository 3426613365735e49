import type { Db } from "../store/connect.ts";
import { holdLease, type Lease } from "../store/hosts.ts";
import { type Receipt, recordDecisions } from "../store/reconciliations.ts";

/**
 * Writes down what is about to be done under a lease.
 *
 * @throws {LeaseLost} If another node owns the host by now.
 */
export async function recordReceipt(db: Db, lease: Lease, receipt: Receipt): Promise<void> {
  await db.transaction(async (tx) => {
    await holdLease(tx, lease);
    await recordDecisions(tx, lease, [receipt]);
  });
}
