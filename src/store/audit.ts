import { and, desc, eq, gte, lt, sql } from "drizzle-orm";
import type { Action, AuditEntry } from "../core/audit.ts";
import { audit } from "./audit-schema.ts";
import type { Db, Tx } from "./connect.ts";
import type { ListCursor } from "./execution-lists.ts";

/** Which acts; what is absent does not narrow. */
export interface AuditFilter {
  /** Inclusive. */
  since?: Date | undefined;
  /** Exclusive. */
  until?: Date | undefined;
  /** A token's name, or a user's. */
  actor?: string | undefined;
  action?: Action | undefined;
  task?: string | undefined;
}

/**
 * Writes who did something, in the transaction that does it: it stands there if and only if it was
 * done. Give it nothing for what has changed nothing.
 *
 *     await writeAudit(tx, { by, action: "token.create", details: { token: name, role } });
 */
export async function writeAudit(tx: Tx, ...entries: readonly AuditEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const rows = entries.map(({ by, details = {}, ...about }) => ({
    actorKind: by.actor.kind,
    actorName: by.actor.name,
    address: by.address,
    requestId: by.requestId,
    details,
    ...about,
  }));
  await tx.execute(sql`
    INSERT INTO fastlane.audit (
      actor_kind, actor_name, address, request_id, action, task_id, job_id, execution_id, host,
      details
    )
    SELECT x."actorKind", x."actorName", x.address, x."requestId", x.action, x.task, x.job,
      x.execution, x.host, x.details
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS x (
      "actorKind" text, "actorName" text, address text, "requestId" text, action text, task text,
      job uuid, execution uuid, host text, details jsonb
    )`);
}

/** Acts, newest first, from a cursor on; and the cursor of what follows. */
export async function listAudit(
  db: Db,
  { since, until, actor, action, task }: AuditFilter,
  { cursor, limit }: { cursor: ListCursor | null; limit: number },
) {
  const rows = await db
    .select({
      row: audit,
      at: sql<string>`to_char(${audit.at} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`,
    })
    .from(audit)
    .where(
      and(
        since === undefined ? undefined : gte(audit.at, since),
        until === undefined ? undefined : lt(audit.at, until),
        actor === undefined ? undefined : eq(audit.actorName, actor),
        action === undefined ? undefined : eq(audit.action, action),
        task === undefined ? undefined : eq(audit.taskId, task),
        cursor === null
          ? undefined
          : sql`(${audit.at}, ${audit.id}) < (${cursor.at}::timestamptz, ${cursor.id}::bigint)`,
      ),
    )
    .orderBy(desc(audit.at), desc(audit.id))
    .limit(limit + 1);
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const next: ListCursor | null =
    rows.length > limit && last !== undefined ? { at: last.at, id: String(last.row.id) } : null;
  return { rows: shown.map(({ row }) => row), next };
}
