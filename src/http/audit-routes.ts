import { Hono } from "hono";
import { ACTIONS } from "../core/audit.ts";
import type { Act } from "../payload/audit-answers.ts";
import { oneOf, shortText } from "../payload/limits.ts";
import { listAudit } from "../store/audit.ts";
import type { AuditRow } from "../store/audit-schema.ts";
import type { HttpDeps, HttpEnv } from "./context.ts";
import { readCursor, textOfCursor } from "./cursor.ts";
import { operation } from "./params.ts";
import { momentOf, parsedOf, wholeNumberOf } from "./query.ts";

const MAX_LIMIT = 1_000;
const DEFAULT_LIMIT = 100;
/** The largest fits a bigint. */
const ID = /^\d{1,18}$/;

/** Who did what. */
export function auditRoutes({ db }: Pick<HttpDeps, "db">) {
  return new Hono<HttpEnv>().get("/audit", operation("audit"), async (c) => {
    const filter = {
      since: momentOf(c, "since"),
      until: momentOf(c, "until"),
      actor: parsedOf(c.req.query("actor"), "actor", shortText(200)),
      action: parsedOf(c.req.query("action"), "action", oneOf(...ACTIONS)),
      task: parsedOf(c.req.query("task"), "task", shortText(400)),
    };
    const limit = wholeNumberOf(c, "limit", { min: 1, max: MAX_LIMIT, absent: DEFAULT_LIMIT });
    const cursor = readCursor(c.req.query("cursor"), ID);
    const { rows, next } = await listAudit(db, filter, { cursor, limit });
    return c.json({ items: rows.map(actView), nextCursor: textOfCursor(next) });
  });
}

function actView(row: AuditRow): Act {
  return {
    id: row.id,
    at: row.at.toISOString(),
    actor: { kind: row.actorKind, name: row.actorName },
    address: row.address,
    action: row.action,
    task: row.taskId,
    job: row.jobId,
    execution: row.executionId,
    host: row.host,
    details: row.details,
    requestId: row.requestId,
  };
}
