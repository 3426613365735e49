import { and, eq, sql } from "drizzle-orm";
import type { Amount } from "../core/pruned.ts";
import type { Db, Tx } from "./connect.ts";
import { amountOf, amountRemoved } from "./old-rows.ts";
import { idempotencyKeys } from "./schema.ts";

/** How long a key gives its first answer again. */
const KEPT = sql`interval '24 hours'`;

export type KeyRow = typeof idempotencyKeys.$inferSelect;

/**
 * Takes a key for a request, waiting for one that is just being made with it.
 *
 * @returns `null` when the key is taken now; else what it has made before.
 */
export async function claimKey(
  tx: Tx,
  key: Pick<KeyRow, "taskId" | "key" | "requestHash" | "jobId">,
): Promise<KeyRow | null> {
  const [taken] = await tx
    .insert(idempotencyKeys)
    .values({ ...key, messageId: 0 })
    .onConflictDoUpdate({
      target: [idempotencyKeys.taskId, idempotencyKeys.key],
      set: {
        requestHash: key.requestHash,
        jobId: key.jobId,
        executionId: null,
        messageId: 0,
        createdAt: sql`now()`,
      },
      setWhere: sql`idempotency_keys.created_at < now() - ${KEPT}`,
    })
    .returning({ key: idempotencyKeys.key });
  if (taken !== undefined) return null;
  const [earlier] = await tx.select().from(idempotencyKeys).where(isKey(key.taskId, key.key));
  return earlier ?? null;
}

/** Writes what a claimed key has made. */
export async function completeKey(
  tx: Tx,
  taskId: string,
  key: string,
  made: { executionId: string | null; messageId: number },
): Promise<void> {
  const { executionId, messageId } = made;
  await tx.update(idempotencyKeys).set({ executionId, messageId }).where(isKey(taskId, key));
}

const isOldKey = sql`created_at < now() - ${KEPT}`;

/** Removes keys whose time is over, so many at most. */
export async function dropOldKeys(db: Db, limit: number): Promise<Amount> {
  return await amountRemoved(
    db,
    sql`DELETE FROM fastlane.idempotency_keys WHERE (task_id, key) IN (
        SELECT task_id, key FROM fastlane.idempotency_keys WHERE ${isOldKey}
        ORDER BY created_at LIMIT ${limit} FOR UPDATE SKIP LOCKED
      ) RETURNING pg_column_size(idempotency_keys.*) AS bytes`,
  );
}

/** How many that would be without a limit. */
export async function countOldKeys(db: Db): Promise<Amount> {
  return await amountOf(
    db,
    sql`SELECT pg_column_size(idempotency_keys.*) AS bytes FROM fastlane.idempotency_keys
      WHERE ${isOldKey}`,
  );
}

const isKey = (taskId: string, key: string) =>
  and(eq(idempotencyKeys.taskId, taskId), eq(idempotencyKeys.key, key));
