import type { Command } from "commander";
import type * as v from "valibot";
import { JobList, TaskList } from "../client/answers.ts";
import { fromNow } from "../terminal/amounts.ts";
import { type Column, table } from "../terminal/table.ts";
import { withClientOptions } from "./client-options.ts";
import { shortId } from "./execution-table.ts";
import { numberOption } from "./flags.ts";
import type { Surroundings } from "./program.ts";
import { type Screen, show } from "./screen.ts";

interface PageFlags {
  page?: number;
  perPage?: number;
}

export function addListCommands(program: Command, surroundings: Surroundings): void {
  const tasks = withPages(program.command("tasks").description("list the tasks"))
    .option("--search <words>", "only those whose ids have all of these words")
    .addHelpText("after", "\nExamples:\n  fastlane tasks\n  fastlane tasks --search reports");
  tasks.action(async () => {
    const { search, page, perPage } = tasks.opts<PageFlags & { search?: string }>();
    const query = { page, perPage, query: search };
    await show(tasks, surroundings, {
      schema: TaskList,
      ask: (client) => client.get(search === undefined ? "/tasks/" : "/search/", query),
      draw: ({ items }, screen) => table(items, taskColumns(screen), screen),
      more: morePages,
    });
  });

  const jobs = withPages(
    program.command("jobs <task>").description("list the jobs of a task"),
  ).addHelpText("after", "\nExamples:\n  fastlane jobs reports\n  fastlane show reports 5a023792");
  jobs.action(async (task: string) => {
    await show(jobs, surroundings, {
      schema: JobList,
      ask: (client) =>
        client.get(`/tasks/${encodeURIComponent(task)}/`, { ...jobs.opts<PageFlags>() }),
      draw: (answer, screen) => table(answer.jobs, jobColumns(screen), screen),
      more: morePages,
    });
  });
}

function withPages(command: Command): Command {
  return withClientOptions(command)
    .addOption(numberOption("--page", "which page of the list", 1_000_000))
    .addOption(numberOption("--per-page", "how many are on a page", 100).default(50));
}

function morePages({ page, pages, total }: { page: number; pages: number; total: number }) {
  if (page >= pages) return null;
  return `Page ${page} of ${pages}, ${total} in all; --page ${page + 1} goes on`;
}

type TaskRow = v.InferOutput<typeof TaskList>["items"][number];

function taskColumns({ now }: Screen): Column<TaskRow>[] {
  return [
    { head: "TASK", of: ({ taskId }) => taskId, least: 12 },
    { head: "JOBS", of: ({ jobsCount }) => String(jobsCount), align: "right" },
    { head: "CHANGED", of: ({ lastModifiedAt }) => fromNow(new Date(lastModifiedAt), now) },
    { head: "CREATED", of: ({ createdAt }) => fromNow(new Date(createdAt), now), leaveOut: 1 },
  ];
}

function jobColumns(screen: Screen): Column<{ id: string; createdAt: string }>[] {
  return [
    { head: "JOB", of: ({ id }) => shortId(id, screen) },
    { head: "CREATED", of: ({ createdAt }) => fromNow(new Date(createdAt), screen.now) },
  ];
}
