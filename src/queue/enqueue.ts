import { sql } from "drizzle-orm";
import type postgres from "postgres";
import type { Tx } from "../store/connect.ts";
import type { Message, MessageName } from "./messages.ts";

// A message that keeps failing is not worth more than a few tries: the sweep of the rows does the
// same work every 5 s.
const MAX_ATTEMPTS = 3;

/**
 * Puts a message into the queue when the transaction commits, never otherwise.
 *
 * No job key: under contention graphile-worker may drop a keyed message (graphile/worker#580), and
 * handlers do no harm when they run once too often.
 *
 * @param when How long it waits in the queue before it is handled, in milliseconds, or until when.
 * @returns The message's number in the queue.
 */
export async function enqueue<Name extends MessageName>(
  tx: Tx,
  name: Name,
  message: Message<Name>,
  when: number | Date = 0,
): Promise<number> {
  const runAt =
    when instanceof Date
      ? sql`${when.toISOString()}::timestamptz`
      : sql`now() + make_interval(secs => ${when / 1000})`;
  const [row] = await tx.execute<{ id: string }>(sql`
    SELECT id FROM graphile_worker.add_job(
      ${name}, ${JSON.stringify(message)}::json, max_attempts => ${MAX_ATTEMPTS},
      run_at => ${runAt})`);
  if (row === undefined) throw new Error(`The queue took no message "${name}"`);
  return Number(row.id);
}

/**
 * A part of a statement: sends `dispatch` to each of the pools, and selects `pool` and `id`.
 *
 * @param delayMs How long the messages wait before they are handled.
 */
export function dispatchMessages(sql: postgres.Sql, pools: readonly string[], delayMs: number) {
  return sql`
    SELECT pool, (graphile_worker.add_job(
      'dispatch', json_build_object('pool', pool), max_attempts => ${MAX_ATTEMPTS},
      run_at => now() + ${delayMs}::int * interval '1 millisecond')).id
    FROM jsonb_array_elements_text(${JSON.stringify(pools)}::text::jsonb) AS pools (pool)`;
}
