import { timingSafeEqual } from "node:crypto";
import { LRUCache } from "lru-cache";
import { coalesced } from "../core/coalesced.ts";
import type { ReadToken } from "../core/token.ts";
import type { Db } from "../store/connect.ts";
import { findToken, markUsed, type TokenState } from "../store/tokens.ts";

/** Tokens of which lookups are shared. */
const SHARED = 1_000;

/** @returns The row of a token, as it was after it was asked for; `null` for one that is not known. */
export type FindToken = (token: ReadToken) => Promise<TokenState | null>;

/**
 * Asks Postgres for each request, so that what is revoked is so at once. Requests that come while
 * the same token is looked up share the next lookup.
 */
export function createTokenFinder(db: Db): FindToken {
  const lookups = new LRUCache<string, () => Promise<TokenState | null>>({ max: SHARED });
  const marking = new Set<string>();

  const mark = async (id: string) => {
    if (marking.has(id)) return;
    marking.add(id);
    // Nobody is refused since it could not be written down.
    await markUsed(db, id).catch(() => {});
    marking.delete(id);
  };

  return async ({ id, digest }) => {
    const lookUp = lookups.get(id) ?? coalesced(() => findToken(db, id));
    lookups.set(id, lookUp);
    const found = await lookUp();
    if (found === null || !timingSafeEqual(found.digest, digest)) return null;
    if (found.state === "live" && found.isUseStale) void mark(id);
    return found;
  };
}
