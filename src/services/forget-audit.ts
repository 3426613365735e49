import { sql } from "drizzle-orm";
import type { Amount, Pause } from "../core/pruned.ts";
import type { Db } from "../store/connect.ts";
import { amountRemoved, isOldAct } from "../store/old-rows.ts";
import { inSteps } from "./in-steps.ts";

/** Of one transaction: a table that has grown for a year must not be read and written all at once. */
const BATCH = 1_000;

/** Removes from the audit what was done longer ago than it is kept. */
export async function forgetAudit(db: Db, auditDays: number, pause: Pause): Promise<Amount> {
  const removal = sql`
    DELETE FROM fastlane.audit WHERE (at, id) IN (
      SELECT at, id FROM fastlane.audit WHERE ${isOldAct(auditDays)}
      ORDER BY at, id LIMIT ${BATCH} FOR UPDATE SKIP LOCKED
    ) RETURNING pg_column_size(audit.*) AS bytes`;
  return await inSteps(pause, () => amountRemoved(db, removal));
}
