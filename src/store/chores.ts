import { lte, sql } from "drizzle-orm";
import type { Db } from "./connect.ts";
import { chores } from "./schema.ts";

/**
 * Takes it on to do a piece of work that is due, for all nodes. One that is killed over it leaves it
 * to whoever comes first when it is due again.
 *
 * @returns `false` when somebody has begun it less than `everySeconds` ago.
 */
export async function takeChore(db: Db, name: string, everySeconds: number): Promise<boolean> {
  const taken = await db
    .insert(chores)
    .values({ name, lastAt: sql`now()` })
    .onConflictDoUpdate({
      target: chores.name,
      set: { lastAt: sql`now()` },
      setWhere: lte(chores.lastAt, sql`now() - make_interval(secs => ${everySeconds})`),
    })
    .returning({ name: chores.name });
  return taken.length > 0;
}
