import type { Command } from "commander";
import { AuditList } from "../client/access-answers.ts";
import { fromNow } from "../terminal/amounts.ts";
import { type Column, table } from "../terminal/table.ts";
import { withClientOptions } from "./client-options.ts";
import { shortId } from "./execution-table.ts";
import { numberOption, sinceOption } from "./flags.ts";
import type { Surroundings } from "./program.ts";
import { moreBehind, type Screen, show } from "./screen.ts";

interface Flags {
  since?: string;
  until?: string;
  actor?: string;
  action?: string;
  task?: string;
  limit?: number;
  cursor?: string;
}

export function addAuditCommand(program: Command, surroundings: Surroundings): void {
  const command = withClientOptions(
    program.command("audit").description("list who did what, the newest first"),
  )
    .addOption(sinceOption("--since", "done at that time or later"))
    .addOption(sinceOption("--until", "done before that time"))
    .option("--actor <name>", "what this token or user did")
    .option("--action <name>", "this alone was done, as the list names it")
    .option("--task <task>", "what was done to this task")
    .addOption(numberOption("--limit", "how many at most", 1_000).default(50))
    .option("--cursor <cursor>", "go on where an earlier list ended")
    .addHelpText(
      "after",
      "\nExamples:\n  fastlane audit --since 24h\n  fastlane audit --actor ci --json",
    );
  command.action(async () => {
    const { since, until, actor, action, task, limit, cursor } = command.opts<Flags>();
    await show(command, surroundings, {
      schema: AuditList,
      ask: (client) => client.get("/audit/", { since, until, actor, action, task, limit, cursor }),
      draw: ({ items }, screen) => table(items, columnsOf(screen), screen),
      more: moreBehind,
    });
  });
}

type Act = AuditList["items"][number];

function columnsOf(screen: Screen): Column<Act>[] {
  return [
    { head: "WHEN", of: ({ at }) => fromNow(new Date(at), screen.now) },
    { head: "WHO", of: ({ actor }) => actor.name ?? actor.kind, least: 8 },
    { head: "ACTION", of: ({ action }) => action },
    { head: "ON", of: (act) => objectOf(act, screen), least: 12 },
    { head: "DETAILS", of: ({ details }) => detailWords(details), least: 8, leaveOut: 1 },
    { head: "FROM", of: ({ address }) => address ?? "-", leaveOut: 2 },
  ];
}

function objectOf({ task, job, execution, host }: Act, screen: Screen): string {
  const ids = [job, execution].flatMap((id) => (id === null ? [] : [shortId(id, screen)]));
  const words = [task, ...ids, host].filter((word) => word !== null);
  return words.length === 0 ? "-" : words.join(" ");
}

const detailWords = (details: Act["details"]) =>
  Object.entries(details)
    .map(([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ");
