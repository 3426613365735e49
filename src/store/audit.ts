import { sql } from "drizzle-orm";
import type { AuditEntry } from "../core/audit.ts";
import type { Tx } from "./connect.ts";

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
