import type { ExecutionDetails, ExecutionList } from "../client/answers.ts";
import { durationWords, fromNow } from "../terminal/amounts.ts";
import { statusPaint } from "../terminal/status-words.ts";
import type { Column } from "../terminal/table.ts";
import type { Screen } from "./screen.ts";

const SHORT_ID = 8;

/** On a terminal the beginning of an id, which commands take for it; whole in a pipe. */
export function shortId(id: string, { columns }: Pick<Screen, "columns">): string {
  return columns === null ? id : id.slice(0, SHORT_ID);
}

export function executionColumns(screen: Screen): Column<ExecutionList["items"][number]>[] {
  return [
    { head: "TASK", of: ({ taskId }) => taskId, least: 12 },
    { head: "JOB", of: ({ jobId }) => shortId(jobId, screen), leaveOut: 3 },
    ...stateColumns(screen),
    { head: "HOST", of: hostOf, least: 12, leaveOut: 1 },
  ];
}

/** Of the executions of one job. */
export function tryColumns(screen: Screen): Column<ExecutionDetails>[] {
  return [
    ...stateColumns(screen),
    { head: "HOST", of: ({ metadata }) => hostOf(metadata), least: 12, leaveOut: 1 },
  ];
}

type State = Pick<
  ExecutionDetails,
  "executionId" | "status" | "exitCode" | "createdAt" | "startedAt" | "finishedAt"
>;

function stateColumns(screen: Screen): Column<State>[] {
  const { now, colours } = screen;
  return [
    { head: "EXECUTION", of: ({ executionId }) => shortId(executionId, screen) },
    {
      head: "STATUS",
      of: ({ status }) => status,
      paint: ({ status }) => statusPaint(status, colours),
    },
    { head: "EXIT", of: ({ exitCode }) => exitCode?.toString() ?? "-", align: "right" },
    { head: "CREATED", of: ({ createdAt }) => fromNow(new Date(createdAt), now) },
    { head: "TOOK", of: (state) => tookWords(state, now) ?? "-", align: "right", leaveOut: 2 },
  ];
}

/** How long its process ran, or has run so far; `null` before it starts. */
export function tookWords(
  { startedAt, finishedAt }: Pick<State, "startedAt" | "finishedAt">,
  now: Date,
): string | null {
  if (startedAt === null) return null;
  const end = finishedAt === null ? now : new Date(finishedAt);
  return durationWords(end.getTime() - Date.parse(startedAt));
}

export function hostOf(where: { docker_host: string | null; docker_port: number | null }): string {
  const { docker_host: host, docker_port: port } = where;
  if (host === null) return "-";
  return port === null ? host : `${host}:${port}`;
}
