import { sql } from "drizzle-orm";
import type { Store } from "../store/connect.ts";

const POSTGRES_ANSWERS_WITHIN_MS = 2_000;

/**
 * What is wrong with this process itself; `null` when it works, or waits for a Postgres that does
 * not answer: to start it anew would bring that back no sooner.
 */
export async function faultOf(
  { db }: Pick<Store, "db">,
  queue: { isAlive(): boolean } | null,
): Promise<string | null> {
  if (queue === null || queue.isAlive()) return null;
  const answered = db.execute(sql`select 1`).then(
    () => true,
    () => false,
  );
  const tooLate = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => tooLate.resolve(false), POSTGRES_ANSWERS_WITHIN_MS);
  const isThere = await Promise.race([answered, tooLate.promise]);
  clearTimeout(timer);
  return isThere ? "takes no messages of the queue, although Postgres answers" : null;
}
