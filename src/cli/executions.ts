import { type Command, Option } from "commander";
import { ExecutionList } from "../client/answers.ts";
import { type Client, read } from "../client/client.ts";
import { table } from "../terminal/table.ts";
import { withClientOptions } from "./client-options.ts";
import { executionColumns } from "./execution-table.ts";
import { numberOption, sinceOption, statusOption } from "./flags.ts";
import type { Surroundings } from "./program.ts";
import { moreBehind, show } from "./screen.ts";

const MOST = 100_000;
const MOST_AT_ONCE = 1_000;

/** The flags that say which executions are meant. */
export function withFilterOptions(command: Command): Command {
  return command
    .option("--task <task>", "those of this task")
    .addOption(statusOption())
    .option("--host <host>", "those on this host: as the configuration writes it, or name:port")
    .addOption(sinceOption("--since", "created at that time or later"))
    .addOption(sinceOption("--until", "created before that time"));
}

export interface Filter {
  task?: string;
  status?: string;
  host?: string;
  since?: string;
  until?: string;
}

interface Flags extends Filter {
  limit: number;
  cursor?: string;
}

export function addExecutionsCommand(program: Command, surroundings: Surroundings): void {
  const command = withFilterOptions(
    withClientOptions(
      program.command("executions").description("list executions of all tasks, the newest first"),
    ),
  )
    .addOption(numberOption("--limit", "how many at most", MOST).default(30))
    .addOption(new Option("--cursor <cursor>", "go on where an earlier list ended"))
    .addHelpText(
      "after",
      "\nExamples:\n  fastlane executions --status running,pulling\n" +
        "  fastlane executions --task reports --since 24h --status failed --json",
    );
  command.action(async () => {
    const flags = command.opts<Flags>();
    await show(command, surroundings, {
      schema: ExecutionList,
      ask: (client) => listed(client, flags),
      draw: ({ items }, screen) => table(items, executionColumns(screen), screen),
      more: moreBehind,
    });
  });
}

/** As many pages of the list as it takes, as one answer. */
async function listed(client: Client, { limit, cursor, ...flags }: Flags): Promise<unknown> {
  const { task, status, host, since, until } = flags;
  const items: unknown[] = [];
  let next = cursor ?? null;
  do {
    const query = { task, status, host, since, until, cursor: next ?? undefined };
    const most = Math.min(MOST_AT_ONCE, limit - items.length);
    const answer = await client.get("/executions/", { ...query, limit: most });
    next = read(client, ExecutionList, answer).nextCursor;
    items.push(...(answer as { items: unknown[] }).items);
  } while (next !== null && items.length < limit);
  return { items, nextCursor: next };
}
