import type postgres from "postgres";
import { dispatchMessages } from "./enqueue.ts";

/**
 * How long a `dispatch` message waits before it is handled, and for how long after its sending it
 * is good for jobs that are made meanwhile: by far long enough for these to be committed.
 */
const WAITS_MS = 200;
const SHARED_MS = 100;

/** Lets jobs that come one soon after the other share the message that has them dispatched. */
export interface SharedMessages {
  /** A part of a statement: selects `pool` and `id` of a message for each, sent where it must be. */
  select(sql: postgres.Sql, pools: readonly string[]): postgres.PendingQuery<postgres.Row[]>;
  /** Those that were selected by a statement which is committed. */
  note(messages: ReadonlyMap<string, number>): void;
}

/**
 * @param isHurried Whether this process dispatches by itself what it makes. Then the message is but
 *   for the case that it dies before; else it has the dispatch done, so it is sent at once and alone.
 */
export function createSharedMessages(isHurried: boolean): SharedMessages {
  const sent = new Map<string, { id: number; at: number }>();
  return {
    select(sql, pools) {
      if (!isHurried) return dispatchMessages(sql, pools, 0);
      const known = pools.flatMap((pool) => {
        const message = sent.get(pool);
        const isFresh = message !== undefined && performance.now() - message.at < SHARED_MS;
        return isFresh ? [{ pool, id: message.id }] : [];
      });
      const missing = pools.filter((pool) => !known.some((message) => message.pool === pool));
      return sql`
        SELECT pool, id FROM jsonb_to_recordset(${JSON.stringify(known)}::text::jsonb)
          AS known (pool text, id bigint)
        UNION ALL
        ${dispatchMessages(sql, missing, WAITS_MS)}`;
    },
    note(messages) {
      for (const [pool, id] of messages) {
        if (sent.get(pool)?.id !== id) sent.set(pool, { id, at: performance.now() });
      }
    },
  };
}
