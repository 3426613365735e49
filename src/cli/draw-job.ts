import { type JobAnswer, ScheduleAnswer } from "../client/answers.ts";
import { type Client, read } from "../client/client.ts";
import { type JobName, pathOf } from "../client/names.ts";
import { durationWords, fromNow } from "../terminal/amounts.ts";
import { type Fact, factLines } from "../terminal/facts.ts";
import { safeLine } from "../terminal/safe-text.ts";
import { statusPaint } from "../terminal/status-words.ts";
import { type Column, table } from "../terminal/table.ts";
import { momentWords } from "./draw-execution.ts";
import { tryColumns } from "./execution-table.ts";
import type { Screen } from "./screen.ts";

const NEXT_TIMES = 3;
const TICKS = 5;

/** A job: what it runs, when it runs by itself, and its last executions. */
export const drawJob =
  (name: JobName) =>
  async (answer: JobAnswer, screen: Screen, client: Client): Promise<string> => {
    const { job } = answer;
    const schedule = job.scheduled
      ? read(
          client,
          ScheduleAnswer,
          await client.get(`${pathOf(name)}schedule/`, { count: NEXT_TIMES }),
        )
      : { next: [] };
    const parts = [factLines(factsOf(name, answer, schedule.next, screen), screen.colours)];
    if (job.executions.length > 0) parts.push(table(job.executions, tryColumns(screen), screen));
    const more = job.executionCount - job.executions.length;
    if (more > 0) parts.push(screen.colours.dim(`and ${more} before these\n`));
    if (job.ticks.length > 0) {
      parts.push(table(job.ticks.slice(0, TICKS), tickColumns(screen), screen));
    }
    return parts.join("\n");
  };

function factsOf(
  { taskId, jobId }: JobName,
  { job }: JobAnswer,
  next: readonly { at: string; local: string }[],
  { colours, now }: Screen,
): Fact[] {
  const { metadata, executions } = job;
  const last = executions[0];
  const { concurrencyKey: key, concurrencyLimit: limit } = metadata;
  return [
    ["Task", safeLine(taskId)],
    ["Job", jobId],
    ["Image", safeLine(job.image)],
    ["Command", safeLine(job.command)],
    [
      "Last",
      last === undefined ? "no execution yet" : statusPaint(last.status, colours)(last.status),
    ],
    ["Created", momentWords(job.createdAt, now)],
    ["Schedule", scheduleWords(job)],
    ["Next", next.length === 0 ? null : next.map((each) => nextWords(each, now)).join("; ")],
    ["Timeout", durationWords(metadata.timeout * 1_000)],
    ["Retries", metadata.retries === 0 ? null : String(metadata.retries)],
    ["Priority", metadata.priority === 0 ? null : String(metadata.priority)],
    ["Pull", metadata.pullPolicy],
    ["One of", key === undefined ? null : `${limit ?? 1} at once with key ${safeLine(key)}`],
  ];
}

function scheduleWords({ metadata, scheduled }: JobAnswer["job"]): string | null {
  const { cron, timezone, overlap, catchUp } = metadata;
  if (cron === undefined) return scheduled ? "once" : null;
  const canceled = scheduled ? "" : "stopped: ";
  return safeLine(`${canceled}${cron} in ${timezone}, overlap ${overlap}, catchUp ${catchUp}`);
}

const nextWords = ({ at, local }: { at: string; local: string }, now: Date) =>
  `${fromNow(new Date(at), now)} (${local})`;

function tickColumns({ now }: Screen): Column<JobAnswer["job"]["ticks"][number]>[] {
  return [
    { head: "TICK", of: ({ at }) => fromNow(new Date(at), now) },
    { head: "OUTCOME", of: ({ outcome }) => outcome },
    { head: "REASON", of: ({ reason }) => reason, least: 20 },
  ];
}
