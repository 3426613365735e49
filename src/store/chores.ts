import { and, eq, sql } from "drizzle-orm";
import type { Db, Tx } from "./connect.ts";
import { chores } from "./schema.ts";

/** How long a chore stays with a node that says nothing more of it; longer than any statement lasts. */
const HELD_SECONDS = 300;

/** Somebody else has taken the chore on: this node was silent for too long. */
export class ChoreLost extends Error {
  override readonly name = "ChoreLost";
}

/**
 * Takes it on to do a piece of work that is due or was asked for, for all nodes. One that is killed
 * over it leaves it to whoever comes first when it is due again.
 *
 * @returns Who holds it from here on, for `holdChore` and `finishChore`; `null` when somebody has
 *   gone on with it less than `everySeconds` ago, or does.
 */
export async function takeChore(
  db: Db,
  name: string,
  everySeconds: number,
): Promise<string | null> {
  const holder = crypto.randomUUID();
  const held = {
    lastAt: sql`now()`,
    askedAt: null,
    heldBy: holder,
    heldUntil: sql`now() + make_interval(secs => ${HELD_SECONDS})`,
  };
  const taken = await db
    .insert(chores)
    .values({ name, ...held })
    .onConflictDoUpdate({
      target: chores.name,
      set: held,
      setWhere: sql`coalesce(chores.held_until <= now(), true) AND (
        chores.asked_at IS NOT NULL
        OR chores.last_at <= now() - make_interval(secs => ${everySeconds})
      )`,
    })
    .returning({ name: chores.name });
  return taken.length > 0 ? holder : null;
}

/**
 * Says that it is still being done, however long it lasts: also to nodes of earlier versions, which
 * know `last_at` alone.
 *
 * @throws {ChoreLost}
 */
export async function holdChore(db: Db, name: string, holder: string): Promise<void> {
  const held = await db
    .update(chores)
    .set({ lastAt: sql`now()`, heldUntil: sql`now() + make_interval(secs => ${HELD_SECONDS})` })
    .where(and(eq(chores.name, name), eq(chores.heldBy, holder)))
    .returning({ name: chores.name });
  if (held.length === 0) throw new ChoreLost(`Another node does the chore "${name}" by now`);
}

/** It is done, or has failed. @param result For people and `/status/`. */
export async function finishChore(
  db: Db,
  name: string,
  holder: string,
  result: Record<string, unknown>,
): Promise<void> {
  await db
    .update(chores)
    .set({ heldBy: null, heldUntil: null, finishedAt: sql`now()`, result })
    .where(and(eq(chores.name, name), eq(chores.heldBy, holder)));
}

/** Gives it back undone: the next node goes on at once. */
export async function giveBackChore(db: Db, name: string, holder: string): Promise<void> {
  await db
    .update(chores)
    .set({ heldBy: null, heldUntil: null, askedAt: sql`coalesce(asked_at, now())` })
    .where(and(eq(chores.name, name), eq(chores.heldBy, holder)));
}

/** Has it done at once, or once more where it is being done. */
export async function askForChore(tx: Tx, name: string): Promise<void> {
  await tx
    .insert(chores)
    .values({ name, lastAt: new Date(0), askedAt: sql`now()` })
    .onConflictDoUpdate({ target: chores.name, set: { askedAt: sql`now()` } });
}

export interface ChoreState {
  isAsked: boolean;
  isRunning: boolean;
  /** When it was gone on with last; `null` when it never was. */
  lastAt: Date | null;
  finishedAt: Date | null;
  result: Record<string, unknown> | null;
}

export async function choreState(db: Db, name: string): Promise<ChoreState> {
  const [row] = await db
    .select({
      isAsked: sql<boolean>`asked_at IS NOT NULL`,
      isRunning: sql<boolean>`coalesce(held_until > now(), false)`,
      lastAt: chores.lastAt,
      finishedAt: chores.finishedAt,
      result: chores.result,
    })
    .from(chores)
    .where(eq(chores.name, name));
  if (row === undefined) {
    return { isAsked: false, isRunning: false, lastAt: null, finishedAt: null, result: null };
  }
  return { ...row, lastAt: row.lastAt.getTime() === 0 ? null : row.lastAt };
}
