import { and, eq, inArray, sql } from "drizzle-orm";
import type { Db, Tx } from "./connect.ts";
import { type ExecutionRow, executions, hosts } from "./schema.ts";

/**
 * Writes that nothing new is to be given to a host.
 *
 * @param deadline When the rest is given up; `null` for never, `undefined` for what it was.
 * @returns The deadline that holds now, and whether any of this was not so before.
 */
export async function setBlacklisted(
  tx: Tx,
  name: string,
  deadline: Date | null | undefined,
): Promise<{ deadline: Date | null; isNew: boolean }> {
  const [before] = await tx
    .select({ at: hosts.blacklistedAt, deadline: hosts.drainDeadline })
    .from(hosts)
    .where(eq(hosts.name, name))
    .for("update");
  const [row] = await tx
    .insert(hosts)
    .values({ name, blacklistedAt: sql`now()`, drainDeadline: deadline ?? null })
    .onConflictDoUpdate({
      target: hosts.name,
      set: {
        blacklistedAt: sql`coalesce(hosts.blacklisted_at, now())`,
        ...(deadline === undefined ? {} : { drainDeadline: deadline }),
      },
    })
    .returning({ deadline: hosts.drainDeadline });
  const holds = row?.deadline ?? null;
  const wasBlacklisted = before !== undefined && before.at !== null;
  const wasSo = wasBlacklisted && before.deadline?.getTime() === holds?.getTime();
  return { deadline: holds, isNew: !wasSo };
}

/** @returns Whether it was blacklisted. */
export async function clearBlacklisted(tx: Tx, name: string): Promise<boolean> {
  const rows = await tx
    .update(hosts)
    .set({ blacklistedAt: null, drainDeadline: null })
    .where(and(eq(hosts.name, name), sql`blacklisted_at IS NOT NULL`))
    .returning({ name: hosts.name });
  return rows.length > 0;
}

export type Remaining = Pick<ExecutionRow, "id" | "jobId" | "taskId" | "status">;

/** What has been given to a host and has not ended, the oldest first. */
export async function remainingOn(db: Db | Tx, name: string): Promise<Remaining[]> {
  return await db
    .select({
      id: executions.id,
      jobId: executions.jobId,
      taskId: executions.taskId,
      status: executions.status,
    })
    .from(executions)
    .where(and(eq(executions.host, name), inArray(executions.status, ["pulling", "running"])))
    .orderBy(executions.createdAt, executions.id);
}
