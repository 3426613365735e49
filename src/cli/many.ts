import { createInterface } from "node:readline/promises";
import type { Command } from "commander";
import { ManyAnswer } from "../client/answers.ts";
import { type Client, read } from "../client/client.ts";
import { ClientError } from "../client/client-error.ts";
import { safeLine } from "../terminal/safe-text.ts";
import { table } from "../terminal/table.ts";
import { shortId } from "./execution-table.ts";
import type { Filter } from "./executions.ts";
import { type Screen, wantsJson } from "./screen.ts";

export interface ManyFlags extends Filter {
  yes?: boolean;
  dryRun?: boolean;
}

type Act = "stop" | "retry";

/** Whether any of the flags is given that choose among many. */
export function choosesMany({ task, status, host, since, until }: ManyFlags): boolean {
  return [task, status, host, since, until].some((value) => value !== undefined);
}

/**
 * Stops or retries all that fit. Unless `--yes` is given it shows which these are, and asks.
 *
 * @returns What it was done to, or would be, as one answer; `null` when the user said no.
 */
export async function doToMany(
  client: Client,
  act: Act,
  { yes = false, dryRun = false, ...filter }: ManyFlags,
  command: Command,
  screen: Screen,
): Promise<ManyAnswer | null> {
  if (dryRun) return await askAll(client, act, filter, true);
  if (!yes) {
    const those = await askAll(client, act, filter, true);
    if (those.count === 0) return those;
    if (process.stdin.isTTY !== true || process.stderr.isTTY !== true || wantsJson(command)) {
      throw new ClientError(
        `${those.count} fit: give --yes to ${act} them, or --dry-run to see which these are`,
      );
    }
    process.stderr.write(manyLines(those, screen));
    if (!(await agrees(`${act === "stop" ? "Stop" : "Retry"} these ${those.count}?`))) return null;
  }
  return await askAll(client, act, filter, false);
}

/** Which they are, and which of them were left alone. */
export function manyLines({ executions, skipped }: ManyAnswer, screen: Screen): string {
  const columns = [
    { head: "TASK", of: (each: Executions) => each.taskId, least: 12 },
    { head: "JOB", of: (each: Executions) => shortId(each.jobId, screen) },
    { head: "EXECUTION", of: (each: Executions) => shortId(each.id, screen) },
  ];
  const list = executions.length === 0 ? "" : table(executions, columns, screen);
  const left = skipped.map(({ jobId, reason }) => `Not job ${jobId}: ${safeLine(reason)}\n`);
  return list + left.join("");
}

type Executions = ManyAnswer["executions"][number];

async function askAll(
  client: Client,
  act: Act,
  { status, ...filter }: Filter,
  dryRun: boolean,
): Promise<ManyAnswer> {
  const all: ManyAnswer = { count: 0, executions: [], nextCursor: null, skipped: [] };
  do {
    const answer = await client.send("POST", `/executions/${act}/`, {
      ...filter,
      ...(status === undefined ? {} : { status: status.split(",") }),
      ...(all.nextCursor === null ? {} : { cursor: all.nextCursor }),
      dryRun,
    });
    const { count, executions, nextCursor, skipped } = read(client, ManyAnswer, answer);
    all.count += count;
    all.executions.push(...executions);
    all.skipped.push(...skipped);
    all.nextCursor = nextCursor;
  } while (all.nextCursor !== null);
  return all;
}

async function agrees(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await lines.question(`${question} [y/N] `);
  lines.close();
  return /^y(?:es)?$/i.test(answer.trim());
}
