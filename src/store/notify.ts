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
  /** A lease was given back. */
  v.strictObject({ about: v.literal("lease") }),
  /** There is more of the logs of these. */
  v.strictObject({ about: v.literal("log"), executions: v.array(v.string()) }),
  /** These have ended; whoever waits for one of them reads it. */
  v.strictObject({ about: v.literal("ended"), executions: v.array(v.string()) }),
  /** Somebody is to be told of something. */
  v.strictObject({ about: v.literal("delivery") }),
  /** Somebody has asked for a chore before it is due. */
  v.strictObject({ about: v.literal("chore") }),
  /** These tokens, named by their ids, have been revoked. */
  v.strictObject({ about: v.literal("token"), tokens: v.array(v.string()) }),
  /** A listener asks itself whether it still hears. */
  v.strictObject({ about: v.literal("canary"), listener: v.string() }),
]);
export type Notification = v.InferOutput<typeof Notification>;

/** A notification has at most 8,000 bytes. */
const IDS_IN_A_NOTIFICATION = 150;

/** Tells of executions, in as many notifications as they need. */
export async function notifyOfExecutions(
  tx: Tx,
  about: "log" | "ended",
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  const notifications: Notification[] = [];
  for (let from = 0; from < ids.length; from += IDS_IN_A_NOTIFICATION) {
    notifications.push({ about, executions: ids.slice(from, from + IDS_IN_A_NOTIFICATION) });
  }
  await tx.execute(sql`
    SELECT pg_notify(${CHANNEL}, value::text)
    FROM jsonb_array_elements(${JSON.stringify(notifications)}::jsonb)`);
}

/** Sent when the transaction commits. One for a batch, since each takes a lock at the commit. */
export async function notify(db: Db | Tx, notification: Notification): Promise<void> {
  await db.execute(sql`SELECT pg_notify(${CHANNEL}, ${JSON.stringify(notification)})`);
}
