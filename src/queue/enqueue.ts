import { sql } from "drizzle-orm";
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
 * @param delayMs How long the message waits in the queue before it is handled.
 * @returns The message's number in the queue.
 */
export async function enqueue<Name extends MessageName>(
  tx: Tx,
  name: Name,
  message: Message<Name>,
  delayMs = 0,
): Promise<number> {
  const [row] = await tx.execute<{ id: string }>(sql`
    SELECT id FROM graphile_worker.add_job(
      ${name}, ${JSON.stringify(message)}::json, max_attempts => ${MAX_ATTEMPTS},
      run_at => now() + make_interval(secs => ${delayMs / 1000}))`);
  if (row === undefined) throw new Error(`The queue took no message "${name}"`);
  return Number(row.id);
}
