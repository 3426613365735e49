import type { ActBy } from "../core/audit.ts";
import { AppError } from "../core/errors.ts";
import { writeAudit } from "../store/audit.ts";
import type { Db } from "../store/connect.ts";
import { type LedgerEntry, ledgerOf, redeliver } from "../store/ledger.ts";
import { notify } from "../store/notify.ts";
import type { ExecutionRow } from "../store/schema.ts";

/**
 * Has a delivery sent once more, under the same id, whatever came of it before.
 *
 * @throws {AppError} `delivery_not_found` where the execution has no such delivery.
 */
export async function redeliverNow(
  db: Db,
  execution: Pick<ExecutionRow, "id" | "jobId" | "taskId">,
  deliveryId: string,
  by: ActBy,
): Promise<LedgerEntry> {
  const { id: executionId, jobId, taskId } = execution;
  await db.transaction(async (tx) => {
    const sent = await redeliver(tx, executionId, deliveryId);
    if (sent === null) return;
    await notify(tx, { about: "delivery" });
    const about = { task: taskId, job: jobId, execution: executionId };
    const details = { delivery: deliveryId, event: sent.event, kind: sent.kind };
    await writeAudit(tx, { by, action: "redeliver", ...about, details });
  });
  const entry = (await ledgerOf(db, executionId)).find(({ id }) => id === deliveryId);
  if (entry !== undefined) return entry;
  throw new AppError("delivery_not_found", `The execution has no delivery "${deliveryId}"`);
}
