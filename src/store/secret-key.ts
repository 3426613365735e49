import { and, eq, gt, notExists, sql } from "drizzle-orm";
import type { Db } from "./connect.ts";
import { NODE_GONE_SECONDS } from "./nodes.ts";
import { installation, nodes } from "./schema.ts";

/** By what the key is known that seals the rows; `null` before there is one. */
export async function keyCheckOf(db: Db): Promise<string | null> {
  const [row] = await db.select({ check: installation.secretKeyCheck }).from(installation);
  return row?.check ?? null;
}

/** @returns That of the first who has written one. */
export async function claimKeyCheck(db: Db, check: string): Promise<string> {
  const [row] = await db
    .update(installation)
    .set({ secretKeyCheck: sql`coalesce(secret_key_check, ${check})` })
    .returning({ check: installation.secretKeyCheck });
  return row?.check ?? check;
}

/** From here on another key seals. */
export async function replaceKeyCheck(db: Db, check: string): Promise<void> {
  await db.update(installation).set({ secretKeyCheck: check });
}

/** Has rows sealed from now on, unless a node is alive that could not open them. @returns Whether they are. */
export async function allowSealing(db: Db): Promise<boolean> {
  const [row] = await db.select({ seals: installation.seals }).from(installation);
  if (row?.seals) return true;
  return await db.transaction(async (tx) => {
    // Waits for a heartbeat that is just being written, and has those to come see what is written here.
    await tx.execute(sql`LOCK TABLE ${nodes} IN SHARE ROW EXCLUSIVE MODE`);
    const allowed = await tx
      .update(installation)
      .set({ seals: true })
      .where(
        notExists(
          tx
            .select({ one: sql`1` })
            .from(nodes)
            .where(
              and(
                eq(nodes.opensSealed, false),
                gt(nodes.heartbeatAt, sql`now() - make_interval(secs => ${NODE_GONE_SECONDS})`),
              ),
            ),
        ),
      )
      .returning({ seals: installation.seals });
    return allowed.length > 0;
  });
}
