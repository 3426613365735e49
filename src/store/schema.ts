import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  customType,
  date,
  integer,
  jsonb,
  pgSchema,
  primaryKey,
  smallint,
  text,
  timestamp,
  uuid,
} from "drizzle-orm/pg-core";
import type { Circuit, Decision } from "../core/farm.ts";
import type { KeptLogs } from "../core/log-state.ts";
import type { CatchUp, Overlap } from "../core/schedule.ts";
import type { FailureCause, Status } from "../core/status.ts";
import type { JobRules } from "../payload/job-details.ts";
import type { StoredRequest, StoredRules } from "../payload/sealed.ts";

export const bytea = customType<{ data: Uint8Array }>({ dataType: () => "bytea" });
export const moment = (name: string) => timestamp(name, { withTimezone: true, mode: "date" });

export const fastlane = pgSchema("fastlane");

export const installation = fastlane.table("installation", {
  singleton: boolean("singleton").primaryKey().default(true),
  id: uuid("id").notNull().defaultRandom(),
  createdAt: moment("created_at").notNull().defaultNow(),
  secretKeyCheck: text("secret_key_check"),
  seals: boolean("seals").notNull().default(false),
});

export const nodes = fastlane.table("nodes", {
  id: uuid("id").primaryKey(),
  name: text("name").notNull(),
  version: text("version").notNull(),
  process: text("process").notNull(),
  queuePoolId: text("queue_pool_id"),
  farm: text("farm").notNull().default(""),
  startedAt: moment("started_at").notNull().defaultNow(),
  heartbeatAt: moment("heartbeat_at").notNull().defaultNow(),
  opensSealed: boolean("opens_sealed").notNull().default(false),
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
  blacklistedAt: moment("blacklisted_at"),
  drainDeadline: moment("drain_deadline"),
  circuit: text("circuit").$type<Circuit>().notNull().default("closed"),
  failures: integer("failures").notNull().default(0),
  nextProbeAt: moment("next_probe_at"),
  unreachableSince: moment("unreachable_since"),
  releasedAt: moment("released_at").notNull().defaultNow(),
  leftovers: integer("leftovers").notNull().default(0),
  leftoversRemoved: bigint("leftovers_removed", { mode: "number" }).notNull().default(0),
  reconciledAt: moment("reconciled_at"),
  reconcileAskedAt: moment("reconcile_asked_at"),
});

export const hostImages = fastlane.table(
  "host_images",
  { host: text("host").notNull(), image: text("image").notNull() },
  (table) => [primaryKey({ columns: [table.host, table.image] })],
);

export const reconciliations = fastlane.table("reconciliations", {
  id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  host: text("host").notNull(),
  node: uuid("node").notNull(),
  fence: bigint("fence", { mode: "number" }).notNull(),
  decision: text("decision").$type<Decision>().notNull(),
  executionId: uuid("execution_id"),
  containerId: text("container_id"),
  reason: text("reason").notNull(),
  decidedAt: moment("decided_at").notNull().defaultNow(),
});

export const tasks = fastlane.table("tasks", {
  id: text("id").primaryKey(),
  createdAt: moment("created_at").notNull().defaultNow(),
  lastModifiedAt: moment("last_modified_at").notNull().defaultNow(),
  words: text("words").array().notNull().default(sql`'{}'`),
});

export const jobs = fastlane.table("jobs", {
  id: uuid("id").primaryKey(),
  taskId: text("task_id").notNull(),
  request: jsonb("request").$type<StoredRequest>().notNull(),
  priority: smallint("priority").notNull().default(0),
  custom: jsonb("custom").$type<Record<string, unknown>>().notNull().default({}),
  queueMessageId: bigint("queue_message_id", { mode: "number" }),
  requestIp: text("request_ip"),
  createdAt: moment("created_at").notNull().defaultNow(),
  lastModifiedAt: moment("last_modified_at").notNull().defaultNow(),
  rules: jsonb("rules").$type<StoredRules>().notNull(),
  traceparent: text("traceparent"),
});

export const executions = fastlane.table("executions", {
  id: uuid("id").primaryKey(),
  jobId: uuid("job_id").notNull(),
  taskId: text("task_id").notNull(),
  pool: text("pool").notNull(),
  request: jsonb("request").$type<StoredRequest>().notNull(),
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
  timeoutSeconds: integer("timeout_seconds").notNull().default(1_800),
  deadlineAt: moment("deadline_at"),
  expiresAt: moment("expires_at"),
  concurrencyKey: text("concurrency_key"),
  concurrencyLimit: integer("concurrency_limit"),
  afterPrevious: boolean("after_previous").notNull().default(false),
  tickAt: moment("tick_at"),
  retry: integer("retry").notNull().default(0),
  retryOf: uuid("retry_of"),
  stopRequestedAt: moment("stop_requested_at"),
  onHostLost: text("on_host_lost").$type<JobRules["onHostLost"]>().notNull().default("fail"),
  avoidsHost: text("avoids_host"),
  logBase: bigint("log_base", { mode: "number" }).notNull().default(0),
  logDay: date("log_day", { mode: "string" })
    .notNull()
    .default(sql`(now() AT TIME ZONE 'UTC')::date`),
  logBytes: bigint("log_bytes", { mode: "number" }),
  logLines: bigint("log_lines", { mode: "number" }),
  logHasGap: boolean("log_has_gap").notNull().default(false),
  logCutAfter: bigint("log_cut_after", { mode: "number" }),
  logCutTo: bigint("log_cut_to", { mode: "number" }),
  logCutBytes: bigint("log_cut_bytes", { mode: "number" }),
  logCutLines: bigint("log_cut_lines", { mode: "number" }),
  traceparent: text("traceparent"),
  tracestate: text("tracestate"),
  tracedFrom: moment("traced_from"),
});

export const schedules = fastlane.table("schedules", {
  jobId: uuid("job_id").primaryKey(),
  cron: text("cron"),
  timezone: text("timezone").notNull().default("UTC"),
  overlap: text("overlap").$type<Overlap>().notNull().default("allow"),
  catchUp: text("catch_up").$type<CatchUp>().notNull().default("none"),
  nextAt: moment("next_at"),
  messageId: bigint("message_id", { mode: "number" }),
  canceledAt: moment("canceled_at"),
  createdAt: moment("created_at").notNull().defaultNow(),
});

export const ticks = fastlane.table(
  "ticks",
  {
    jobId: uuid("job_id").notNull(),
    at: moment("at").notNull(),
    outcome: text("outcome").$type<"ran" | "caught_up" | "skipped" | "missed">().notNull(),
    executionId: uuid("execution_id"),
    blockedBy: uuid("blocked_by"),
    reason: text("reason").notNull(),
    decidedAt: moment("decided_at").notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.jobId, table.at] })],
);

export const idempotencyKeys = fastlane.table(
  "idempotency_keys",
  {
    taskId: text("task_id").notNull(),
    key: text("key").notNull(),
    requestHash: bytea("request_hash").notNull(),
    jobId: uuid("job_id").notNull(),
    executionId: uuid("execution_id"),
    messageId: bigint("message_id", { mode: "number" }).notNull(),
    createdAt: moment("created_at").notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.taskId, table.key] })],
);

export const logChunks = fastlane.table(
  "log_chunks",
  {
    executionId: uuid("execution_id").notNull(),
    seq: bigint("seq", { mode: "number" }).notNull(),
    frames: integer("frames").notNull(),
    stdoutBytes: integer("stdout_bytes").notNull(),
    stderrBytes: integer("stderr_bytes").notNull(),
    pullBytes: integer("pull_bytes").notNull().default(0),
    lastAt: moment("last_at").notNull(),
    index: bytea("index").notNull(),
    data: bytea("data").notNull(),
    day: date("day", { mode: "string" }).notNull(),
    lines: integer("lines"),
    unended: smallint("unended").notNull().default(0),
  },
  (table) => [primaryKey({ columns: [table.executionId, table.seq, table.day] })],
);

export const logDays = fastlane.table("log_days", {
  day: date("day", { mode: "string" }).primaryKey(),
  kept: text("kept").$type<KeptLogs>().notNull().default("all"),
});

export const chores = fastlane.table("chores", {
  name: text("name").primaryKey(),
  /** When it was begun last, or gone on with. */
  lastAt: moment("last_at").notNull(),
  askedAt: moment("asked_at"),
  heldBy: uuid("held_by"),
  heldUntil: moment("held_until"),
  finishedAt: moment("finished_at"),
  result: jsonb("result").$type<Record<string, unknown>>(),
});

export const storeSizes = fastlane.table("store_sizes", {
  day: date("day", { mode: "string" }).primaryKey(),
  at: moment("at").notNull().defaultNow(),
  bytes: bigint("bytes", { mode: "number" }).notNull(),
  logsBytes: bigint("logs_bytes", { mode: "number" }).notNull(),
  executionsBytes: bigint("executions_bytes", { mode: "number" }).notNull(),
});

export type TaskRow = typeof tasks.$inferSelect;
export type JobRow = typeof jobs.$inferSelect;
export type ExecutionRow = typeof executions.$inferSelect;
export type HostRow = typeof hosts.$inferSelect;
export type ScheduleRow = typeof schedules.$inferSelect;
export type TickRow = typeof ticks.$inferSelect;
