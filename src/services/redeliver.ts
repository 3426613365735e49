import { AppError } from "../core/errors.ts";
import type { Db } from "../store/connect.ts";
import { type LedgerEntry, ledgerOf, redeliver } from "../store/ledger.ts";
import { notify } from "../store/notify.ts";

/**
 * Has a delivery sent once more, under the same id, whatever came of it before.
 *
 * @throws {AppError} `delivery_not_found` where the execution has no such delivery.
 */
export async function redeliverNow(
  db: Db,
  executionId: string,
  deliveryId: string,
): Promise<LedgerEntry> {
  await db.transaction(async (tx) => {
    if (await redeliver(tx, executionId, deliveryId)) await notify(tx, { about: "delivery" });
  });
  const entry = (await ledgerOf(db, executionId)).find(({ id }) => id === deliveryId);
  if (entry !== undefined) return entry;
  throw new AppError("delivery_not_found", `The execution has no delivery "${deliveryId}"`);
}
