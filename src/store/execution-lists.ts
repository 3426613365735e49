import { and, desc, eq, gte, inArray, isNotNull, lt, type SQL, sql } from "drizzle-orm";
import type { KeptLogs } from "../core/log-state.ts";
import type { Status } from "../core/status.ts";
import type { Db, Tx } from "./connect.ts";
import { executions, logDays } from "./schema.ts";

/** Which executions; what is absent does not narrow. */
export interface ExecutionFilter {
  task?: string | undefined;
  /** A regular expression on the task id. */
  taskMatch?: string | undefined;
  statuses?: readonly Status[] | undefined;
  /** Names of hosts. */
  hosts?: readonly string[] | undefined;
  /** Of the creation, inclusive. */
  since?: Date | undefined;
  /** Of the creation, exclusive. */
  until?: Date | undefined;
}

/** Where a list goes on: behind what was at that time, with all its digits, and has that id. */
export interface ListCursor {
  at: string;
  id: string;
}

const LISTED = {
  id: executions.id,
  jobId: executions.jobId,
  taskId: executions.taskId,
  status: executions.status,
  createdAt: executions.createdAt,
  startedAt: executions.startedAt,
  finishedAt: executions.finishedAt,
  exitCode: executions.exitCode,
  failureCause: executions.failureCause,
  host: executions.host,
  containerId: executions.containerId,
  logHasGap: executions.logHasGap,
  logCutAfter: executions.logCutAfter,
  logBytes: executions.logBytes,
  logLines: executions.logLines,
  keptLogs: sql<KeptLogs>`coalesce(${logDays.kept}, 'all')`,
  cursorAt: sql<string>`to_char(${executions.createdAt} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`,
};
export type ListedRow = Awaited<ReturnType<typeof listExecutions>>["rows"][number];

/** Executions, newest first, from a cursor on; and the cursor of what follows. */
export async function listExecutions(
  db: Db | Tx,
  filter: ExecutionFilter,
  { cursor, limit }: { cursor: ListCursor | null; limit: number },
) {
  const behind =
    cursor === null
      ? undefined
      : sql`(${executions.createdAt}, ${executions.id}) < (${cursor.at}::timestamptz, ${cursor.id}::uuid)`;
  const rows = await db
    .select(LISTED)
    .from(executions)
    .leftJoin(logDays, eq(logDays.day, executions.logDay))
    .where(and(...conditionsOf(filter), behind))
    .orderBy(desc(executions.createdAt), desc(executions.id))
    .limit(limit + 1);
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const next: ListCursor | null =
    rows.length > limit && last !== undefined ? { at: last.cursorAt, id: last.id } : null;
  return { rows: shown, next };
}

function conditionsOf(filter: ExecutionFilter): SQL[] {
  const { task, taskMatch, statuses, hosts, since, until } = filter;
  return [
    task === undefined ? undefined : eq(executions.taskId, task),
    taskMatch === undefined ? undefined : sql`${executions.taskId} ~ ${taskMatch}`,
    statuses === undefined ? undefined : inArray(executions.status, [...statuses]),
    hosts === undefined
      ? undefined
      : and(isNotNull(executions.host), inArray(executions.host, [...hosts])),
    since === undefined ? undefined : gte(executions.createdAt, since),
    until === undefined ? undefined : lt(executions.createdAt, until),
  ].filter((condition) => condition !== undefined);
}
