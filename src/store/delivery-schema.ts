import { boolean, integer, jsonb, text, uuid } from "drizzle-orm/pg-core";
import type { Event } from "../core/events.ts";
import type { StoredWebhook } from "../payload/sealed.ts";
import { fastlane, moment } from "./schema.ts";

export const serviceWebhooks = fastlane.table("service_webhooks", {
  position: integer("position").primaryKey(),
  match: text("match").notNull(),
  events: text("events").array().$type<Event[]>().notNull(),
  request: jsonb("request").$type<StoredWebhook & { webhook?: string }>().notNull(),
});

export const deliveries = fastlane.table("deliveries", {
  id: uuid("id").primaryKey().defaultRandom(),
  executionId: uuid("execution_id").notNull(),
  event: text("event").$type<Event>().notNull(),
  kind: text("kind").$type<"webhook" | "mail">().notNull(),
  source: text("source").$type<"job" | "service">().notNull(),
  position: integer("position").notNull(),
  target: text("target").notNull(),
  /** Made by Postgres. */
  receiver: text("receiver").notNull(),
  request: jsonb("request")
    .$type<Omit<StoredWebhook, "url" | "retries"> & { webhook?: string }>()
    .notNull()
    .default({}),
  status: text("status").$type<"waiting" | "delivered" | "dead">().notNull().default("waiting"),
  tries: integer("tries").notNull().default(0),
  maxTries: integer("max_tries").notNull(),
  dueAt: moment("due_at").defaultNow(),
  createdAt: moment("created_at").notNull().defaultNow(),
});

export const deliveryAttempts = fastlane.table("delivery_attempts", {
  deliveryId: uuid("delivery_id").notNull(),
  try: integer("try").notNull(),
  at: moment("at").notNull(),
  durationMs: integer("duration_ms").notNull(),
  ok: boolean("ok").notNull(),
  code: integer("code"),
  answer: text("answer").notNull(),
  error: text("error"),
});

export type DeliveryRow = typeof deliveries.$inferSelect;
export type DeliveryAttemptRow = typeof deliveryAttempts.$inferSelect;
