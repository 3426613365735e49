import { asc, desc, eq, sql } from "drizzle-orm";
import type { Db, Tx } from "./connect.ts";
import {
  type DeliveryAttemptRow,
  type DeliveryRow,
  deliveries,
  deliveryAttempts,
} from "./delivery-schema.ts";

/** Has it sent once more, whatever came of it; `null` where the execution has no such delivery. */
export async function redeliver(
  db: Db | Tx,
  executionId: string,
  deliveryId: string,
): Promise<DeliveryRow | null> {
  const [row] = await db
    .update(deliveries)
    .set({
      status: "waiting",
      dueAt: sql`now()`,
      maxTries: sql`greatest(max_tries, tries + 1)`,
    })
    .where(sql`id = ${deliveryId} AND execution_id = ${executionId}`)
    .returning();
  return row ?? null;
}

/** A delivery with its tries, the oldest first. */
export interface LedgerEntry extends DeliveryRow {
  attempts: DeliveryAttemptRow[];
}

/** All deliveries of an execution, in the order in which they were made. */
export async function ledgerOf(db: Db, executionId: string): Promise<LedgerEntry[]> {
  // In one statement: a try that is written between two would be half there.
  const rows = await db
    .select({ delivery: deliveries, attempt: deliveryAttempts })
    .from(deliveries)
    .leftJoin(deliveryAttempts, eq(deliveryAttempts.deliveryId, deliveries.id))
    .where(eq(deliveries.executionId, executionId))
    .orderBy(
      asc(deliveries.createdAt),
      asc(deliveries.event),
      asc(deliveries.position),
      asc(deliveries.id),
      asc(deliveryAttempts.try),
    );
  return [...Map.groupBy(rows, ({ delivery }) => delivery.id).values()].flatMap((tries) => {
    const attempts = tries.flatMap(({ attempt }) => attempt ?? []);
    return tries.slice(0, 1).map(({ delivery }) => ({ ...delivery, attempts }));
  });
}

/** A try of a webhook. */
export interface Dispatch {
  delivery: DeliveryRow;
  attempt: DeliveryAttemptRow;
}

/**
 * The last tries of a job's own webhooks of an execution, the newest first. The service's are left
 * out: this is sent to the receivers that the job names.
 */
export async function lastDispatches(
  db: Db,
  executionId: string,
  limit: number,
): Promise<Dispatch[]> {
  return await db
    .select({ delivery: deliveries, attempt: deliveryAttempts })
    .from(deliveryAttempts)
    .innerJoin(deliveries, eq(deliveries.id, deliveryAttempts.deliveryId))
    .where(sql`execution_id = ${executionId} AND kind = 'webhook' AND source = 'job'`)
    .orderBy(desc(deliveryAttempts.at))
    .limit(limit);
}

/** How many wait, by kind. */
export async function waitingDeliveries(db: Db): Promise<{ webhook: number; mail: number }> {
  const [row] = await db.execute<{ webhook: string; mail: string }>(sql`
    SELECT count(*) FILTER (WHERE kind = 'webhook') AS webhook,
      count(*) FILTER (WHERE kind = 'mail') AS mail
    FROM ${deliveries} WHERE status = 'waiting'`);
  return { webhook: Number(row?.webhook ?? 0), mail: Number(row?.mail ?? 0) };
}
