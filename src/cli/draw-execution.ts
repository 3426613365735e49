import { DeliveryList, type ExecutionAnswer, WhyAnswer } from "../client/answers.ts";
import { type Client, read } from "../client/client.ts";
import { type JobName, pathOf } from "../client/names.ts";
import { bytesWords } from "../core/amounts.ts";
import { durationWords, fromNow } from "../terminal/amounts.ts";
import { type Fact, factLines } from "../terminal/facts.ts";
import { safeLine } from "../terminal/safe-text.ts";
import { statusPaint } from "../terminal/status-words.ts";
import { type Column, cut, table } from "../terminal/table.ts";
import { hostOf, tookWords } from "./execution-table.ts";
import type { Screen } from "./screen.ts";

const ERROR_LINES = 10;
const ENDED = ["done", "failed", "timedout", "stopped", "expired"];

/** One execution, with who was told of it and, unless it went well, why it is as it is. */
export const drawExecution =
  (name: JobName) =>
  async (answer: ExecutionAnswer, screen: Screen, client: Client): Promise<string> => {
    const path = pathOf(name);
    const { execution } = answer;
    const [why, deliveries] = await Promise.all([
      execution.status === "done" ? null : client.get(`${path}why/`),
      client.get(`${path}deliveries/`),
    ]);
    const summary = why === null ? null : read(client, WhyAnswer, why).summary;
    return (
      factLines(factsOf(answer, summary, screen), screen.colours) +
      deliveryLines(read(client, DeliveryList, deliveries), screen) +
      errorLines(execution.error, screen)
    );
  };

function factsOf(
  { execution, job, task }: ExecutionAnswer,
  summary: string | null,
  { colours, now }: Screen,
): Fact[] {
  const { status, exitCode, metadata, createdAt, startedAt, finishedAt } = execution;
  const cause = execution.failureCause === null ? "" : ` (${execution.failureCause})`;
  const waited = startedAt === null ? null : Date.parse(startedAt) - Date.parse(createdAt);
  return [
    ["Task", safeLine(task.id)],
    ["Job", job.id],
    ["Execution", execution.executionId],
    ["Status", statusPaint(status, colours)(status) + safeLine(cause)],
    ["Exit code", exitCode?.toString() ?? null],
    ["Why", summary === null ? null : safeLine(summary)],
    ["Image", safeLine(execution.image)],
    ["Command", safeLine(execution.command)],
    ["Host", metadata.docker_host === null ? null : safeLine(hostOf(metadata))],
    ["Container", metadata.container_id?.slice(0, 12) ?? null],
    ["Created", momentWords(createdAt, now)],
    ["Started", startedAt === null ? null : momentWords(startedAt, now)],
    ["Ended", finishedAt === null ? null : momentWords(finishedAt, now)],
    ["Waited", waited === null ? null : durationWords(waited)],
    [ENDED.includes(status) ? "Took" : "Runs", tookWords(execution, now)],
    ["Retry", metadata.retry === 0 ? null : `${metadata.retry}, of ${metadata.retryOf ?? "-"}`],
    ["Tick", metadata.tickAt === null ? null : momentWords(metadata.tickAt, now)],
    ["Log", logWords(execution)],
  ];
}

/** `3 min ago (2030-03-29 03:00:01Z)`. */
export function momentWords(at: string, now: Date): string {
  return `${fromNow(new Date(at), now)} (${at.slice(0, 19).replace("T", " ")}Z)`;
}

function logWords({ logBytes, logLines, logState }: ExecutionAnswer["execution"]): string | null {
  if (logBytes === null || logLines === null) return null;
  const lines = `${logLines} ${logLines === 1 ? "line" : "lines"}`;
  const state = logState === null || logState === "complete" ? "" : `, ${logState}`;
  return `${lines}, ${bytesWords(logBytes)}${state}`;
}

function deliveryLines({ items }: DeliveryList, screen: Screen): string {
  if (items.length === 0) return "";
  const { colours } = screen;
  const columns: Column<DeliveryList["items"][number]>[] = [
    { head: "EVENT", of: ({ event }) => event },
    { head: "TOLD BY", of: ({ kind }) => kind, leaveOut: 2 },
    { head: "TO", of: ({ target }) => target, least: 12 },
    {
      head: "DELIVERY",
      of: ({ status }) => status,
      paint: ({ status }) => colours[DELIVERY_COLOURS[status] ?? "reset"],
    },
    { head: "TRIES", of: (each) => `${each.attempts.length}/${each.maxTries}`, align: "right" },
    { head: "ERROR", of: ({ attempts }) => attempts.at(-1)?.error ?? "", least: 8, leaveOut: 1 },
  ];
  return `\n${table(items, columns, screen)}`;
}

const DELIVERY_COLOURS: Record<string, "dim" | "green" | "red"> = {
  waiting: "dim",
  delivered: "green",
  dead: "red",
};

/** The end of what it wrote to stderr. */
function errorLines(error: string, { colours, columns }: Screen): string {
  const lines = error.trimEnd().split(/\r?\n/);
  if (error.trim() === "") return "";
  const last = lines.slice(-ERROR_LINES).map((line) => cut(safeLine(line), columns ?? 1_000));
  const which = lines.length > ERROR_LINES ? `Last ${ERROR_LINES} lines of the error` : "Error";
  return `\n${colours.dim(which)}\n${last.join("\n")}\n`;
}
