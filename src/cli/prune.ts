import { setTimeout as delay } from "node:timers/promises";
import type { Command } from "commander";
import { type Client, read } from "../client/client.ts";
import { ClientError } from "../client/client-error.ts";
import { type Kinds, PrunableAnswer, PruneAnswer } from "../client/prune-answers.ts";
import { bytesWords } from "../core/amounts.ts";
import { PRUNED_KINDS, type PrunedKind } from "../core/pruned.ts";
import { type Column, table } from "../terminal/table.ts";
import { withClientOptions } from "./client-options.ts";
import type { Surroundings } from "./program.ts";
import { hint, type Screen, show } from "./screen.ts";

const LOOK_EVERY_MS = 250;
const WORKER_BEGINS_WITHIN_MS = 75_000;

export function addPruneCommand(program: Command, surroundings: Surroundings): void {
  const command = withClientOptions(
    program.command("prune").description("remove at once what need not be kept any more"),
  )
    .option("--dry-run", "only count what would go")
    .addHelpText(
      "after",
      "\nIt is done by itself each hour, as the retention of the configuration says.\n\n" +
        "Examples:\n  fastlane prune --dry-run\n  fastlane prune",
    );
  command.action(async () => {
    if (command.opts<{ dryRun?: boolean }>().dryRun === true) {
      return await show(command, surroundings, {
        schema: PrunableAnswer,
        ask: (client) => client.send("POST", "/prune/?dryRun=true"),
        draw: ({ prunable }, screen) => drawn(prunable, "would go", screen),
      });
    }
    await show(command, surroundings, {
      schema: PruneAnswer,
      ask: pruneToEnd,
      draw: ({ result }, screen) =>
        result !== null && "pruned" in result ? drawn(result.pruned, "is gone", screen) : "",
    });
  });
}

/** @throws {ClientError} When it fails, or no worker begins. */
async function pruneToEnd(client: Client): Promise<PruneAnswer> {
  let answer = read(client, PruneAnswer, await client.send("POST", "/prune/"));
  const asked = performance.now();
  let isTold = false;
  while (answer.isAsked || answer.isRunning) {
    await delay(LOOK_EVERY_MS);
    answer = read(client, PruneAnswer, await client.get("/prune/"));
    if (answer.isRunning && !isTold && performance.now() - asked > 5_000) {
      isTold = true;
      hint("A worker is at it; it goes on without this command");
    }
    if (answer.isRunning || !answer.isAsked) continue;
    if (performance.now() - asked > WORKER_BEGINS_WITHIN_MS) {
      throw new ClientError("No worker has begun to prune: it is done when one runs");
    }
  }
  if (answer.result !== null && "error" in answer.result) {
    throw new ClientError(`Could not prune: ${answer.result.error}`);
  }
  return answer;
}

const WORDS: Record<PrunedKind, string> = {
  containers: "containers of ended executions",
  logDays: "days of logs",
  executions: "executions",
  jobs: "jobs",
  tasks: "tasks",
  ticks: "ticks of schedules",
  deliveries: "webhooks and mails",
  audit: "acts in the audit",
  idempotencyKeys: "idempotency keys",
  reconciliations: "receipts of reconciliation",
};

interface Row {
  kind: PrunedKind;
  count: number;
  bytes: number;
}

function drawn(kinds: Kinds, what: string, screen: Screen): string {
  const rows = PRUNED_KINDS.map((kind) => ({ kind, ...(kinds[kind] ?? { count: 0, bytes: 0 }) }));
  const some = rows.filter(({ count }) => count > 0);
  if (some.length === 0) return `Nothing ${what}\n`;
  const columns: Column<Row>[] = [
    { head: "COUNT", of: ({ count }) => String(count), align: "right" },
    {
      head: "BYTES",
      of: ({ kind, bytes }) => (kind === "containers" ? "-" : bytesWords(bytes)),
      align: "right",
    },
    { head: "WHAT", of: ({ kind }) => WORDS[kind] },
  ];
  const sum = rows.reduce((bytes, row) => bytes + row.bytes, 0);
  return `${table(some, columns, screen)}${bytesWords(sum)} ${what}\n`;
}
