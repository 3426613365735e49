import { text } from "drizzle-orm/pg-core";
import type { Role } from "../core/actor.ts";
import { bytea, fastlane, moment } from "./schema.ts";

export const tokens = fastlane.table("tokens", {
  id: text("id").primaryKey(),
  name: text("name").notNull(),
  digest: bytea("digest").notNull(),
  role: text("role").$type<Role>().notNull(),
  taskMatch: text("task_match"),
  createdAt: moment("created_at").notNull().defaultNow(),
  createdBy: text("created_by").notNull(),
  expiresAt: moment("expires_at"),
  lastUsedAt: moment("last_used_at"),
  revokedAt: moment("revoked_at"),
});

export type TokenRow = typeof tokens.$inferSelect;
