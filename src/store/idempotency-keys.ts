import { and, eq, sql } from "drizzle-orm";
import type { Db, Tx } from "./connect.ts";
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

/** Removes keys whose time is over. */
export async function dropOldKeys(db: Db): Promise<void> {
  await db.delete(idempotencyKeys).where(sql`created_at < now() - ${KEPT}`);
}

const isKey = (taskId: string, key: string) =>
  and(eq(idempotencyKeys.taskId, taskId), eq(idempotencyKeys.key, key));
