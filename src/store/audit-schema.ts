import { bigint, jsonb, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import type { Actor } from "../core/actor.ts";
import type { Action, AuditDetails } from "../core/audit.ts";
import { fastlane, moment } from "./schema.ts";

export const audit = fastlane.table(
  "audit",
  {
    id: bigint("id", { mode: "number" }).notNull().generatedAlwaysAsIdentity(),
    at: moment("at").notNull().defaultNow(),
    actorKind: text("actor_kind").$type<Actor["kind"]>().notNull(),
    actorName: text("actor_name"),
    address: text("address"),
    action: text("action").$type<Action>().notNull(),
    taskId: text("task_id"),
    jobId: uuid("job_id"),
    executionId: uuid("execution_id"),
    host: text("host"),
    details: jsonb("details").$type<AuditDetails>().notNull().default({}),
    requestId: text("request_id"),
  },
  (table) => [primaryKey({ columns: [table.at, table.id] })],
);
export type AuditRow = typeof audit.$inferSelect;
