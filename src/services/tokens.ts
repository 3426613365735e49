import type { ActBy } from "../core/audit.ts";
import { AppError } from "../core/errors.ts";
import { newToken } from "../core/token.ts";
import { checkToken, isTokenName, type MadeToken, type TokenView } from "../payload/token.ts";
import { writeAudit } from "../store/audit.ts";
import type { Db, Tx } from "../store/connect.ts";
import { faultOfExpression } from "../store/expressions.ts";
import { notify } from "../store/notify.ts";
import type { TokenRow } from "../store/token-schema.ts";
import { insertToken, listTokens, markRevoked } from "../store/tokens.ts";

/**
 * Makes a token. It is in the answer alone: what is stored tells whether a token is right, and not
 * which one it is.
 *
 * @param wish As a client may send it.
 * @throws {AppError} `payload_invalid`, or `token_name_taken` by a live one.
 */
export async function createToken(db: Db, wish: unknown, by: ActBy): Promise<MadeToken> {
  const { name, role, taskMatch, lastsMs } = checkToken(wish);
  const fault = taskMatch === null ? null : await faultOfExpression(db, taskMatch);
  if (fault !== null) {
    throw new AppError("payload_invalid", `Cannot make the token: "taskMatch" ${fault}`, {
      issues: [{ path: "taskMatch", message: fault }],
    });
  }
  const { token, id, digest } = newToken();
  const { actor } = by;
  const createdBy = actor.name === null ? actor.kind : `${actor.kind} ${actor.name}`;
  const row = await db.transaction(async (tx) => {
    const made = await insertToken(tx, { id, name, digest, role, taskMatch, createdBy, lastsMs });
    if (made === null) return null;
    const details = { token: name, id, role, taskMatch, expiresAt: timeOf(made.expiresAt) };
    await writeAudit(tx, { by, action: "token.create", details });
    return made;
  });
  if (row !== null) return { ...tokenView(row), token };
  throw new AppError(
    "token_name_taken",
    `Cannot make the token: one named "${name}" is live; revoke it, or take another name`,
  );
}

/**
 * Ends a token at once, on all nodes, with what was opened by it.
 *
 * @throws {AppError} `token_not_found` where no live token has the name.
 */
export async function revokeToken(db: Db, name: string, by: ActBy): Promise<TokenView> {
  const row = isTokenName(name) ? await db.transaction((tx) => revoke(tx, name, by)) : null;
  if (row !== null) return tokenView(row);
  throw new AppError("token_not_found", `There is no live token "${name.slice(0, 100)}"`);
}

async function revoke(tx: Tx, name: string, by: ActBy): Promise<TokenRow | null> {
  const revoked = await markRevoked(tx, name);
  if (revoked === null) return null;
  await notify(tx, { about: "token", tokens: [revoked.id] });
  const details = { token: name, id: revoked.id };
  await writeAudit(tx, { by, action: "token.revoke", details });
  return revoked;
}

/** The newest first, with those that are revoked or have expired where all are asked for. */
export async function tokenViews(db: Db, which: "live" | "all"): Promise<TokenView[]> {
  return (await listTokens(db, which)).map(tokenView);
}

function tokenView(row: TokenRow): TokenView {
  const { id, name, role, taskMatch, createdBy } = row;
  return {
    id,
    name,
    role,
    taskMatch,
    createdAt: row.createdAt.toISOString(),
    createdBy,
    expiresAt: timeOf(row.expiresAt),
    lastUsedAt: timeOf(row.lastUsedAt),
    revokedAt: timeOf(row.revokedAt),
  };
}

const timeOf = (at: Date | null) => at?.toISOString() ?? null;
