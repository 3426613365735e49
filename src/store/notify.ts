import { sql } from "drizzle-orm";
import * as v from "valibot";
import type { Db, Tx } from "./connect.ts";

/** The one channel on which nodes tell each other that rows have changed. */
export const CHANNEL = "fastlane";

/**
 * What a notification can be about: ids only. It is a hurry-up; whoever misses it finds the same in
 * the rows at the next sweep.
 */
export const Notification = v.variant("about", [
  /** Something was given to a host; its owner looks. */
  v.strictObject({ about: v.literal("host"), host: v.string() }),
  /** A listener asks itself whether it still hears. */
  v.strictObject({ about: v.literal("canary"), listener: v.string() }),
]);
export type Notification = v.InferOutput<typeof Notification>;

/** Sent when the transaction commits. One for a batch, since each takes a lock at the commit. */
export async function notify(db: Db | Tx, notification: Notification): Promise<void> {
  await db.execute(sql`SELECT pg_notify(${CHANNEL}, ${JSON.stringify(notification)})`);
}
