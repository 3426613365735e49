import { setTimeout as delay } from "node:timers/promises";
import type { Db } from "../store/connect.ts";
import type { Notification } from "../store/notify.ts";
import { livesOfTokens } from "../store/tokens.ts";

/** Why a token no longer counts. */
export type TokenEnd = "revoked" | "expired";

/** Ends what was opened by a token when the token ends, for any number of those who hold one. */
export interface TokenWatch {
  /**
   * Tells of a token's end once, also of one that came before.
   *
   * @returns What ends the telling.
   */
  follow(tokenId: string, onEnd: (reason: TokenEnd) => void): () => void;
  hear(notification: Notification): void;
  /** Words may have been lost. */
  lookAgain(): void;
}

/** A word may be lost; so it is looked every so often all the same. */
const LOOK_EVERY_MS = 5_000;
const LOOK_AFTER_FAULT_MS = 1_000;
const SHORTEST_MS = 10;

interface Followed {
  followers: Set<(reason: TokenEnd) => void>;
  /** When it expires, by the clock of `performance`. */
  endsAt: number;
}

export function createTokenWatch({ db }: { db: Db }): TokenWatch {
  const followed = new Map<string, Followed>();
  let woken = Promise.withResolvers<void>();
  let isRunning = false;

  const end = (id: string, reason: TokenEnd) => {
    const followers = followed.get(id)?.followers ?? [];
    followed.delete(id);
    for (const onEnd of followers) onEnd(reason);
  };
  const look = async () => {
    const ids = [...followed.keys()];
    const lives = new Map((await livesOfTokens(db, ids)).map((life) => [life.id, life]));
    for (const id of ids) {
      const life = lives.get(id);
      const token = followed.get(id);
      if (life === undefined || life.isRevoked) end(id, "revoked");
      else if (token !== undefined && life.leftMs !== null) {
        token.endsAt = performance.now() + life.leftMs;
      }
    }
  };
  /** @returns In how many milliseconds the next one expires. */
  const endExpired = () => {
    let next = Number.POSITIVE_INFINITY;
    for (const [id, { endsAt }] of followed) {
      const leftMs = endsAt - performance.now();
      if (leftMs <= 0) end(id, "expired");
      else next = Math.min(next, leftMs);
    }
    return next;
  };
  const run = async () => {
    isRunning = true;
    try {
      await lookWhileFollowed();
    } finally {
      // Also when a follower threw: the next one to follow starts it again.
      isRunning = false;
    }
  };
  const lookWhileFollowed = async () => {
    while (followed.size > 0) {
      // Before it is looked: a word that comes meanwhile asks again.
      woken = Promise.withResolvers<void>();
      const patienceMs = await look().then(
        () => LOOK_EVERY_MS,
        () => LOOK_AFTER_FAULT_MS,
      );
      const waitMs = Math.max(SHORTEST_MS, Math.min(patienceMs, endExpired()));
      const enough = new AbortController();
      const waited = delay(waitMs, undefined, { signal: enough.signal }).catch(() => {});
      await Promise.race([woken.promise, waited]);
      enough.abort();
    }
  };

  return {
    follow(tokenId, onEnd) {
      const token = followed.get(tokenId) ?? {
        followers: new Set(),
        endsAt: Number.POSITIVE_INFINITY,
      };
      token.followers.add(onEnd);
      followed.set(tokenId, token);
      // It may have ended since it was asked for.
      woken.resolve();
      if (!isRunning) void run();
      return () => {
        token.followers.delete(onEnd);
        if (token.followers.size > 0 || followed.get(tokenId) !== token) return;
        followed.delete(tokenId);
        woken.resolve();
      };
    },
    hear(notification) {
      if (notification.about !== "token") return;
      if (notification.tokens.some((id) => followed.has(id))) woken.resolve();
    },
    lookAgain: () => woken.resolve(),
  };
}
