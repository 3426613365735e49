import { asc, eq, inArray, sql } from "drizzle-orm";
import { DECISIONS, type Decision } from "../core/farm.ts";
import type { Amount } from "../core/pruned.ts";
import type { Db, Tx } from "./connect.ts";
import type { Lease } from "./hosts.ts";
import { amountOf, amountRemoved, daysAgo } from "./old-rows.ts";
import { reconciliations } from "./schema.ts";

/** How long a decision can be looked up, in days. */
const KEPT_DAYS = 30;
/** How many of a host's decisions are shown. */
const SHOWN = 5;

export interface Receipt {
  decision: Decision;
  executionId: string | null;
  containerId: string | null;
  /** In words, for people. */
  reason: string;
}

/** Writes down what was decided under a lease, which the transaction holds. */
export async function recordDecisions(
  tx: Tx,
  lease: Lease,
  receipts: readonly Receipt[],
): Promise<void> {
  if (receipts.length === 0) return;
  const { host, nodeId: node, fence } = lease;
  await tx.insert(reconciliations).values(receipts.map((each) => ({ ...each, host, node, fence })));
}

export interface HostReceipts {
  counts: Record<Decision, number>;
  /** The newest first. */
  last: (Receipt & { decidedAt: Date })[];
}

/**
 * What was decided on hosts: how often each, and the last of them.
 *
 * @param taskMatch A regular expression on the ids of the tasks of the last ones; `null` is all, with
 *   decisions about no execution.
 */
export async function receiptsOfHosts(
  db: Db,
  names: readonly string[],
  taskMatch: string | null,
): Promise<Map<string, HostReceipts>> {
  if (names.length === 0) return new Map();
  const counted = await db
    .select({
      host: reconciliations.host,
      decision: reconciliations.decision,
      count: sql<number>`count(*)::int`,
    })
    .from(reconciliations)
    .where(inArray(reconciliations.host, [...names]))
    .groupBy(reconciliations.host, reconciliations.decision);
  const isShown =
    taskMatch === null
      ? sql`true`
      : sql`EXISTS (
          SELECT FROM fastlane.executions
          WHERE executions.id = reconciliations.execution_id AND task_id ~ ${taskMatch}
        )`;
  const last = await db.execute<{
    host: string;
    decision: Decision;
    executionId: string | null;
    containerId: string | null;
    reason: string;
    decidedAt: string;
  }>(sql`
    SELECT host, decision, execution_id AS "executionId", container_id AS "containerId", reason,
      decided_at AS "decidedAt"
    FROM jsonb_array_elements_text(${JSON.stringify(names)}::jsonb) AS wanted (name)
    CROSS JOIN LATERAL (
      SELECT * FROM fastlane.reconciliations WHERE host = wanted.name AND ${isShown}
      ORDER BY id DESC LIMIT ${SHOWN}
    ) AS newest
    ORDER BY id DESC`);
  return new Map(
    names.map((name) => [
      name,
      {
        counts: countsOf(counted.filter(({ host }) => host === name)),
        last: last
          .filter(({ host }) => host === name)
          .map(({ host: _, decidedAt, ...rest }) => ({ ...rest, decidedAt: new Date(decidedAt) })),
      },
    ]),
  );
}

function countsOf(
  rows: readonly { decision: Decision; count: number }[],
): Record<Decision, number> {
  const none = Object.fromEntries(DECISIONS.map((decision) => [decision, 0]));
  const counts = none as Record<Decision, number>;
  for (const { decision, count } of rows) counts[decision] = count;
  return counts;
}

/** The decisions about one execution, the oldest first. */
export async function receiptsOfExecution(
  db: Db,
  executionId: string,
): Promise<(Receipt & { host: string; decidedAt: Date })[]> {
  return await db
    .select()
    .from(reconciliations)
    .where(eq(reconciliations.executionId, executionId))
    .orderBy(asc(reconciliations.id));
}

const isOldReceipt = sql`decided_at < ${daysAgo(KEPT_DAYS)}`;

/** Removes decisions whose time is over, so many at most. */
export async function dropOldReceipts(db: Db, limit: number): Promise<Amount> {
  return await amountRemoved(
    db,
    sql`DELETE FROM fastlane.reconciliations WHERE id IN (
        SELECT id FROM fastlane.reconciliations WHERE ${isOldReceipt}
        ORDER BY decided_at LIMIT ${limit} FOR UPDATE SKIP LOCKED
      ) RETURNING pg_column_size(reconciliations.*) AS bytes`,
  );
}

/** How many that would be without a limit. */
export async function countOldReceipts(db: Db): Promise<Amount> {
  return await amountOf(
    db,
    sql`SELECT pg_column_size(reconciliations.*) AS bytes FROM fastlane.reconciliations
      WHERE ${isOldReceipt}`,
  );
}
