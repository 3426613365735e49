import { hasRole, type Role } from "../core/actor.ts";
import { AppError } from "../core/errors.ts";
import type { HttpContext } from "./context.ts";

/**
 * The least role that each operation needs; `anybody` is also who has not said who they are. A
 * route names its operation, and one without a row here does not compile.
 */
const LEAST_ROLES = {
  healthcheck: "anybody",

  listTasks: "viewer",
  searchTasks: "viewer",
  getTask: "viewer",
  getJob: "viewer",
  getJobLogs: "viewer",
  getJobStdout: "viewer",
  getJobStderr: "viewer",
  whyJob: "viewer",
  listTicks: "viewer",
  getSchedule: "viewer",
  getExecution: "viewer",
  getExecutionLogs: "viewer",
  getExecutionStdout: "viewer",
  getExecutionStderr: "viewer",
  getExecutionEvents: "viewer",
  whyExecution: "viewer",
  listDeliveries: "viewer",
  listExecutions: "viewer",
  jobSocket: "viewer",
  executionSocket: "viewer",
  tailSocket: "viewer",
  streamJob: "viewer",
  streamExecution: "viewer",
  streamJobExecution: "viewer",
  root: "viewer",
  page: "viewer",
  hosts: "viewer",
  metrics: "viewer",
  status: "viewer",
  whoami: "viewer",
  openapi: "viewer",
  docs: "viewer",

  enqueueJob: "submitter",
  enqueueJobs: "submitter",
  putJob: "submitter",
  stopJob: "submitter",
  retryJob: "submitter",
  stopExecution: "submitter",
  redeliver: "submitter",

  stopExecutions: "operator",
  retryExecutions: "operator",
  blacklistHost: "operator",
  putHostOnBlacklist: "operator",
  liftBlacklist: "operator",
  drainHost: "operator",

  createToken: "admin",
  listTokens: "admin",
  revokeToken: "admin",
  audit: "admin",
  getPrune: "admin",
  prune: "admin",
  export: "admin",
  import: "admin",
} as const satisfies Record<string, Role | "anybody">;

export type OperationName = keyof typeof LEAST_ROLES;

/**
 * @param taskId Of the path; `null` where it has none.
 * @throws {AppError} `not_allowed` unless whoever asks has the role, and may touch the task.
 */
export async function requireAccess(
  c: HttpContext,
  name: OperationName,
  taskId: string | null,
): Promise<void> {
  const least: Role | "anybody" = LEAST_ROLES[name];
  if (least === "anybody") return;
  const { role, taskMatch } = c.get("actor");
  if (!hasRole(role, least)) {
    throw new AppError("not_allowed", `This needs the role ${least}: the role given is ${role}`);
  }
  if (taskId === null || taskMatch === null || (await c.get("session").isFor(taskId))) return;
  throw new AppError(
    "not_allowed",
    `This token is only for tasks that fit the regular expression ${taskMatch}: "${taskId}" does not`,
  );
}
