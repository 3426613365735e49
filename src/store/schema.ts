import {
  bigint,
  boolean,
  customType,
  integer,
  jsonb,
  pgSchema,
  primaryKey,
  smallint,
  text,
  timestamp,
  uuid,
} from "drizzle-orm/pg-core";
import type { FailureCause, Status } from "../core/status.ts";
import type { ContainerRequest } from "../payload/job-payload.ts";

const bytea = customType<{ data: Uint8Array }>({ dataType: () => "bytea" });
const moment = (name: string) => timestamp(name, { withTimezone: true, mode: "date" });

const fastlane = pgSchema("fastlane");

export const installation = fastlane.table("installation", {
  singleton: boolean("singleton").primaryKey().default(true),
  id: uuid("id").notNull().defaultRandom(),
  createdAt: moment("created_at").notNull().defaultNow(),
});

export const nodes = fastlane.table("nodes", {
  id: uuid("id").primaryKey(),
  name: text("name").notNull(),
  version: text("version").notNull(),
  process: text("process").notNull(),
  queuePoolId: text("queue_pool_id"),
  startedAt: moment("started_at").notNull().defaultNow(),
  heartbeatAt: moment("heartbeat_at").notNull().defaultNow(),
});

export const hosts = fastlane.table("hosts", {
  name: text("name").primaryKey(),
  leaseNode: uuid("lease_node"),
  leaseExpiresAt: moment("lease_expires_at"),
  fence: bigint("fence", { mode: "number" }).notNull().default(0),
  reachable: boolean("reachable").notNull().default(false),
  lastSeenAt: moment("last_seen_at"),
  engineVersion: text("engine_version"),
  lastError: text("last_error"),
});

export const tasks = fastlane.table("tasks", {
  id: text("id").primaryKey(),
  createdAt: moment("created_at").notNull().defaultNow(),
  lastModifiedAt: moment("last_modified_at").notNull().defaultNow(),
});

export const jobs = fastlane.table("jobs", {
  id: uuid("id").primaryKey(),
  taskId: text("task_id").notNull(),
  request: jsonb("request").$type<ContainerRequest>().notNull(),
  priority: smallint("priority").notNull().default(0),
  custom: jsonb("custom").$type<Record<string, unknown>>().notNull().default({}),
  queueMessageId: bigint("queue_message_id", { mode: "number" }),
  requestIp: text("request_ip"),
  createdAt: moment("created_at").notNull().defaultNow(),
  lastModifiedAt: moment("last_modified_at").notNull().defaultNow(),
});

export const executions = fastlane.table("executions", {
  id: uuid("id").primaryKey(),
  jobId: uuid("job_id").notNull(),
  taskId: text("task_id").notNull(),
  pool: text("pool").notNull(),
  request: jsonb("request").$type<ContainerRequest>().notNull(),
  priority: smallint("priority").notNull().default(0),
  requestIp: text("request_ip"),
  status: text("status").$type<Status>().notNull().default("enqueued"),
  createdAt: moment("created_at").notNull().defaultNow(),
  availableAt: moment("available_at").notNull().defaultNow(),
  placements: integer("placements").notNull().default(0),
  lastFault: text("last_fault"),
  host: text("host"),
  claimedAt: moment("claimed_at"),
  containerId: text("container_id"),
  startedAt: moment("started_at"),
  finishedAt: moment("finished_at"),
  exitCode: integer("exit_code"),
  failureCause: text("failure_cause").$type<FailureCause>(),
  message: text("message"),
});

export const logChunks = fastlane.table(
  "log_chunks",
  {
    executionId: uuid("execution_id").notNull(),
    seq: bigint("seq", { mode: "number" }).notNull(),
    frames: integer("frames").notNull(),
    stdoutBytes: integer("stdout_bytes").notNull(),
    stderrBytes: integer("stderr_bytes").notNull(),
    lastAt: moment("last_at").notNull(),
    index: bytea("index").notNull(),
    data: bytea("data").notNull(),
  },
  (table) => [primaryKey({ columns: [table.executionId, table.seq] })],
);

export type TaskRow = typeof tasks.$inferSelect;
export type JobRow = typeof jobs.$inferSelect;
export type ExecutionRow = typeof executions.$inferSelect;
export type HostRow = typeof hosts.$inferSelect;
