import { and, eq, inArray, sql } from "drizzle-orm";
import type { Event } from "../core/events.ts";
import type { StoredWebhook } from "../payload/sealed.ts";
import type { Db, Tx } from "./connect.ts";
import {
  type DeliveryAttemptRow,
  type DeliveryRow,
  deliveries,
  deliveryAttempts,
  serviceWebhooks,
} from "./delivery-schema.ts";
import { isDatabaseDown } from "./faults.ts";

/** Tries of a webhook that does not say how often it is tried again, and of a mail. */
const USUAL_TRIES = 21;
/**
 * A node that took something up and has not told for so long what came of it, in seconds, is gone. A
 * webhook is sent within 10 s, a mail within 30.
 */
const FORGOTTEN_AFTER = { webhook: 20, mail: 40 };

/** What names a webhook of the configuration has waited for so long for a node whose has it, in seconds. */
const NOBODYS_AFTER_SECONDS = 3_600;

/** A webhook of the configuration, itself or only named. */
export interface ServiceWebhook extends StoredWebhook {
  /** Names it, where the rest of it stands in the configuration alone; `url` is then its origin. */
  webhook?: string;
  /** A regular expression on the task id, as Postgres reads it; "" is all. */
  match: string;
  events: Event[];
}

/**
 * Puts what the configuration has in place of what an earlier one had.
 *
 * @throws {Error} Where Postgres takes an expression for none: every end would fail by it.
 */
export async function replaceServiceWebhooks(
  db: Db,
  webhooks: readonly ServiceWebhook[],
): Promise<void> {
  const rows = webhooks.map(({ match, events, ...request }, position) => ({
    position,
    match,
    events,
    request,
  }));
  for (const [index, { match }] of webhooks.entries()) {
    await db.execute(sql`SELECT '' ~ ${match}`).catch((error: unknown) => {
      throw isDatabaseDown(error)
        ? error
        : new Error(`Cannot start: webhooks.${index}.match must be a regular expression`);
    });
  }
  await db.transaction(async (tx) => {
    // Nodes that start together take turns.
    await tx.execute(sql`LOCK TABLE ${serviceWebhooks} IN SHARE ROW EXCLUSIVE MODE`);
    await tx.delete(serviceWebhooks);
    if (rows.length > 0) await tx.insert(serviceWebhooks).values(rows);
  });
}

/**
 * Writes who is to be told of events of executions: whom the job names, and the service's own.
 *
 * @returns How many are to be told now who were not before.
 */
export async function insertDeliveries(
  tx: Tx,
  told: readonly { executionId: string; event: Event }[],
): Promise<number> {
  if (told.length === 0) return 0;
  const rows = await tx.execute(sql`
    WITH told AS (
      SELECT x.event, executions.id, executions.task_id, jobs.rules
      FROM jsonb_to_recordset(${JSON.stringify(told)}::jsonb) AS x ("executionId" uuid, event text)
      JOIN fastlane.executions ON executions.id = x."executionId"
      JOIN fastlane.jobs ON jobs.id = executions.job_id
    ), wanted AS (
      SELECT id, event, 'webhook' AS kind, 'job' AS source, place, hook.value AS request,
        hook.value ->> 'url' AS target
      FROM told, jsonb_array_elements(rules -> 'webhooks' -> event) WITH ORDINALITY AS hook (value, place)
      UNION ALL
      SELECT id, event, 'mail', 'job', place, '{}', address
      FROM told, jsonb_array_elements_text(rules -> 'notify' -> event) WITH ORDINALITY AS mail (address, place)
      UNION ALL
      SELECT id, event, 'webhook', 'service', position + 1, request, request ->> 'url'
      FROM told JOIN fastlane.service_webhooks ON event = ANY (events) AND task_id ~ match
    )
    INSERT INTO fastlane.deliveries (
      execution_id, event, kind, source, position, target, request, max_tries
    )
    SELECT id, event, kind, source, place - 1, target, request - 'url' - 'retries',
      coalesce((request ->> 'retries')::int + 1, ${USUAL_TRIES})
    FROM wanted
    ON CONFLICT DO NOTHING
    RETURNING id`);
  return rows.length;
}

/**
 * Takes up what is due, the longest overdue first. What is taken up is due again after a while, in
 * case its node does not live to tell what came of it.
 *
 * @param busy Receivers that have enough under way.
 * @param known Names of webhooks that this node's configuration has; others wait for their node, but
 *   not for ever.
 */
export async function takeUpDeliveries(
  db: Db,
  limit: number,
  busy: readonly string[],
  known: readonly string[],
): Promise<DeliveryRow[]> {
  return await db
    .update(deliveries)
    .set({
      tries: sql`tries + 1`,
      // To the millisecond, as a Date has it: by this moment a taking up is known again.
      dueAt: sql`date_trunc('milliseconds', now()) + make_interval(secs =>
        CASE kind WHEN 'mail' THEN ${FORGOTTEN_AFTER.mail}::int ELSE ${FORGOTTEN_AFTER.webhook} END)`,
    })
    .where(
      inArray(
        deliveries.id,
        sql`(SELECT id FROM ${deliveries}
          WHERE status = 'waiting' AND due_at <= now()
            AND ${isNot(busy)} AND ${dueHere(known)} <= now()
          ORDER BY due_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)`,
      ),
    )
    .returning();
}

/** When the next is due, in milliseconds from now; `null` where nothing waits but for the busy. */
export async function nextDueInMs(
  db: Db,
  busy: readonly string[],
  known: readonly string[],
): Promise<number | null> {
  const [row] = await db.execute<{ ms: number | null }>(sql`
    SELECT (extract(epoch FROM min(${dueHere(known)}) - now()) * 1000)::float8 AS ms
    FROM ${deliveries} WHERE status = 'waiting' AND ${isNot(busy)}`);
  return row?.ms ?? null;
}

const isNot = (busy: readonly string[]) => sql`NOT receiver = ANY (${arrayOf(busy)})`;

/** When a node that knows these webhooks may take it up. */
const dueHere = (known: readonly string[]) => sql`(due_at + CASE
  WHEN request ? 'webhook' AND request ->> 'webhook' <> ALL (${arrayOf(known)})
  THEN make_interval(secs => ${NOBODYS_AFTER_SECONDS}) ELSE interval '0' END)`;

const arrayOf = (texts: readonly string[]) =>
  sql`ARRAY(SELECT jsonb_array_elements_text(${JSON.stringify(texts)}::jsonb))`;

/** What came of a try. */
export type Attempt = Omit<DeliveryAttemptRow, "deliveryId">;

/**
 * Writes what came of a try, and what follows: another after a while, or none. Where somebody has
 * had it sent again meanwhile, or it was taken up again as forgotten, that stands.
 *
 * @param takenUp The row as it was taken up.
 * @param next Milliseconds until the next try; `null` when it was the last.
 */
export async function recordAttempt(
  db: Db,
  takenUp: Pick<DeliveryRow, "id" | "tries" | "dueAt">,
  attempt: Omit<Attempt, "try">,
  next: number | null,
): Promise<void> {
  const { id, tries, dueAt: heldUntil } = takenUp;
  if (heldUntil === null) throw new Error(`The delivery ${id} has not been taken up`);
  await db.transaction(async (tx) => {
    await tx
      .insert(deliveryAttempts)
      .values({ deliveryId: id, try: tries, ...attempt })
      .onConflictDoNothing();
    const status = attempt.ok ? "delivered" : next === null ? "dead" : "waiting";
    const dueAt =
      status === "waiting" ? sql`now() + make_interval(secs => ${(next ?? 0) / 1000})` : null;
    await tx
      .update(deliveries)
      .set({ status, dueAt })
      .where(and(eq(deliveries.id, id), eq(deliveries.dueAt, heldUntil)));
  });
}
