import { sql } from "drizzle-orm";
import type { Db } from "../store/connect.ts";

/** Of one transaction: a table that has grown for a year must not be read and written all at once. */
const BATCH = 1_000;

/**
 * Removes from the audit what was done longer ago than it is kept.
 *
 * @param signal Ends it early, between two transactions.
 * @returns How many rows went.
 */
export async function forgetAudit(db: Db, auditDays: number, signal: AbortSignal): Promise<number> {
  for (let sum = 0; ; ) {
    signal.throwIfAborted();
    const gone = await db.execute(sql`
      DELETE FROM fastlane.audit WHERE (at, id) IN (
        SELECT at, id FROM fastlane.audit
        WHERE at < now() - make_interval(days => ${auditDays}::int)
        ORDER BY at, id LIMIT ${BATCH} FOR UPDATE SKIP LOCKED
      ) RETURNING 1 AS one`);
    sum += gone.length;
    if (gone.length === 0) return sum;
  }
}
