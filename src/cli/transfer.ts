import { open, readFile } from "node:fs/promises";
import { text as textOf } from "node:stream/consumers";
import type { Command } from "commander";
import * as v from "valibot";
import { fileTarget } from "../app/file-target.ts";
import { ClientError } from "../client/client-error.ts";
import { messageOf } from "../core/errors.ts";
import { table } from "../terminal/table.ts";
import { clientOf, withClientOptions } from "./client-options.ts";
import type { Surroundings } from "./program.ts";
import { hint, print, show } from "./screen.ts";

const Imported = v.object({
  jobs: v.array(v.object({ taskId: v.string(), jobId: v.string(), outcome: v.string() })),
  blacklisted: v.array(v.string()),
});

export function addTransferCommands(program: Command, surroundings: Surroundings): void {
  const exporting = withClientOptions(
    program
      .command("export [file]")
      .description("write schedules and the blacklist as JSON, to a file or to standard output"),
  )
    .option("--without-secrets", "leave out secret variables, and headers and secrets of webhooks")
    .addHelpText(
      "after",
      "\nWith - or without a file it goes to standard output.\n\n" +
        "Examples:\n  fastlane export schedules.json\n" +
        "  fastlane export - | fastlane import - --url https://other.example",
    );
  exporting.action(async (file: string | undefined) => {
    const { withoutSecrets = false } = exporting.opts<{ withoutSecrets?: boolean }>();
    const client = await clientOf(exporting, surroundings);
    const answer = await client.get("/export/", { withoutSecrets });
    const text = `${JSON.stringify(answer, null, 2)}\n`;
    if (file === undefined || file === "-") await print(text);
    else await writePrivate(file, text);
    if (withoutSecrets) hint("Secret variables, and headers and secrets of webhooks, are left out");
    else hint("It holds whatever is secret in jobs: keep it safe");
  });

  const importing = withClientOptions(
    program.command("import <file>").description("make what an export has told of, all or nothing"),
  )
    .option("--dry-run", "only tell what would become of each")
    .addHelpText(
      "after",
      "\nWith - it is read from standard input.\n\n" +
        "Example:\n  fastlane import schedules.json --dry-run",
    );
  importing.action(async (file: string) => {
    const { dryRun = false } = importing.opts<{ dryRun?: boolean }>();
    const document = await readJson(file);
    await show(importing, surroundings, {
      schema: Imported,
      ask: (client) => client.send("POST", `/import/?dryRun=${dryRun}`, document),
      draw: ({ jobs, blacklisted }, screen) => {
        const columns = [
          { head: "TASK", of: (job: (typeof jobs)[number]) => job.taskId, least: 12 },
          { head: "JOB", of: (job: (typeof jobs)[number]) => job.jobId },
          { head: dryRun ? "WOULD BE" : "IS", of: (job: (typeof jobs)[number]) => job.outcome },
        ];
        const hosts = blacklisted.length === 0 ? "" : `${blacklisted.length} hosts blacklisted\n`;
        return `${jobs.length === 0 ? "No schedules\n" : table(jobs, columns, screen)}${hosts}`;
      },
    });
  });
}

async function writePrivate(path: string, text: string): Promise<void> {
  try {
    const file = await open(await fileTarget(path), "w", 0o600);
    try {
      await file.chmod(0o600);
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new ClientError(`Cannot write "${path}": ${messageOf(error)}`);
  }
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await (path === "-" ? textOf(process.stdin) : readFile(path, "utf8")));
  } catch (error) {
    const place = path === "-" ? "on standard input" : `"${path}"`;
    throw new ClientError(`Cannot read the export ${place}: ${messageOf(error)}`);
  }
}
