import { and, desc, eq, isNull, or, type SQL, sql } from "drizzle-orm";
import type { Role } from "../core/actor.ts";
import type { Db, Tx } from "./connect.ts";
import { type TokenRow, tokens } from "./token-schema.ts";

export interface NewTokenRow {
  id: string;
  name: string;
  digest: Buffer;
  role: Role;
  taskMatch: string | null;
  createdBy: string;
  /** From now on; `null` is for ever. */
  lastsMs: number | null;
}

const IS_OVER = sql`expires_at IS NOT NULL AND expires_at <= now()`;
/** How many a list has at most, the newest. */
const LISTED = 1_000;

/** @returns `null` where a live token has the name. */
export async function insertToken(tx: Tx, token: NewTokenRow): Promise<TokenRow | null> {
  const { lastsMs, ...row } = token;
  const expiresAt =
    lastsMs === null ? null : sql`now() + ${lastsMs}::float8 * interval '1 millisecond'`;
  // The name of one that has expired is free.
  await tx
    .update(tokens)
    .set({ revokedAt: sql`now()` })
    .where(and(eq(tokens.name, row.name), isNull(tokens.revokedAt), IS_OVER));
  const [made] = await tx
    .insert(tokens)
    .values({ ...row, expiresAt })
    .onConflictDoNothing()
    .returning();
  return made ?? null;
}

/** @returns What it has become; `null` where no token of the name is live. */
export async function markRevoked(tx: Tx, name: string): Promise<TokenRow | null> {
  const [revoked] = await tx
    .update(tokens)
    .set({ revokedAt: sql`now()` })
    .where(and(eq(tokens.name, name), isNull(tokens.revokedAt)))
    .returning();
  return revoked ?? null;
}

/** The newest first. */
export async function listTokens(db: Db, which: "live" | "all"): Promise<TokenRow[]> {
  const isLive: SQL | undefined = and(
    isNull(tokens.revokedAt),
    or(isNull(tokens.expiresAt), sql`expires_at > now()`),
  );
  return await db
    .select()
    .from(tokens)
    .where(which === "live" ? isLive : undefined)
    .orderBy(desc(tokens.createdAt), desc(tokens.id))
    .limit(LISTED);
}

/** What of a token's row says whether it counts. */
export interface TokenState {
  id: string;
  name: string;
  digest: Uint8Array;
  role: Role;
  taskMatch: string | null;
  expiresAt: Date | null;
  /** By the clock of Postgres. */
  state: "live" | "revoked" | "expired";
  /** It was last marked as used a minute ago or more. */
  isUseStale: boolean;
}

export async function findToken(db: Db, id: string): Promise<TokenState | null> {
  const [row] = await db.$client<(Omit<TokenState, "expiresAt"> & { expiresAt: string | null })[]>`
    SELECT id, name, digest, role, task_match AS "taskMatch", expires_at AS "expiresAt",
      CASE WHEN revoked_at IS NOT NULL THEN 'revoked'
        WHEN expires_at <= now() THEN 'expired' ELSE 'live' END AS state,
      coalesce(last_used_at <= now() - interval '1 minute', true) AS "isUseStale"
    FROM fastlane.tokens WHERE id = ${id}`;
  if (row === undefined) return null;
  return { ...row, expiresAt: row.expiresAt === null ? null : new Date(row.expiresAt) };
}

/** Written once in a minute at most, by whichever node. */
export async function markUsed(db: Db, id: string): Promise<void> {
  await db
    .update(tokens)
    .set({ lastUsedAt: sql`now()` })
    .where(
      and(eq(tokens.id, id), sql`coalesce(last_used_at <= now() - interval '1 minute', true)`),
    );
}

/** How long tokens still count, by the clock of Postgres. */
export interface TokenLife extends Record<string, unknown> {
  id: string;
  isRevoked: boolean;
  /** Below 0 when it has expired; `null` when it never does. */
  leftMs: number | null;
}

export async function livesOfTokens(db: Db, ids: readonly string[]): Promise<TokenLife[]> {
  return await db.execute<TokenLife>(sql`
    SELECT id, revoked_at IS NOT NULL AS "isRevoked",
      (extract(epoch FROM expires_at - now()) * 1000)::float8 AS "leftMs"
    FROM ${tokens}
    WHERE id IN (SELECT jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb))`);
}
