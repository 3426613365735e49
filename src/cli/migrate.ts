import type { Command } from "commander";
import { migrateDatabase, provideDatabase } from "../app/database.ts";
import { createLog } from "./log.ts";
import { configOf, withConfigOptions } from "./options.ts";
import type { Surroundings } from "./program.ts";

export function addMigrateCommand(program: Command, surroundings: Surroundings): void {
  const command = withConfigOptions(
    program.command("migrate").description("bring the database's schema up to date, and end"),
  );
  command.action(async () => {
    const config = configOf(command, surroundings);
    const log = createLog(config.logLevel);
    const stops: (() => Promise<void>)[] = [];
    try {
      await migrateDatabase(await provideDatabase({ config, log }, stops), log);
      process.stdout.write("The schema is up to date\n");
    } finally {
      for (const stop of stops) await stop();
    }
  });
}
