import type { Command } from "commander";
import { backUp, restore } from "../app/backup.ts";
import { bytesWords } from "../core/amounts.ts";
import { createLog } from "./log.ts";
import { configOf, withEmbeddedOptions } from "./options.ts";
import type { Surroundings } from "./program.ts";
import { hint } from "./screen.ts";

export function addBackupCommands(program: Command, surroundings: Surroundings): void {
  const optionsOf = (command: Command) => ({
    config: configOf(command, surroundings),
    version: surroundings.version,
    // That Postgres starts and stops is no news here.
    log: createLog("warn"),
  });
  const backup = withEmbeddedOptions(
    program
      .command("backup <file>")
      .description(
        "write all that the embedded Postgres has to one file, also while fastlane runs",
      ),
  ).addHelpText(
    "after",
    "\nWith - it goes to standard output. It holds whatever is secret in jobs: keep it safe.\n\n" +
      "Examples:\n  fastlane backup /backups/fastlane.tar.zst\n" +
      "  fastlane backup - | ssh backups 'cat > fastlane.tar.zst'",
  );
  backup.action(async (file: string) => {
    const isPiped = file === "-";
    if (isPiped && process.stdout.isTTY) {
      throw new Error(
        "Cannot write the backup to a terminal: name a file, or pipe it to another command",
      );
    }
    const made = await backUp(optionsOf(backup), isPiped ? process.stdout : file);
    const { postgres, migrations } = made.manifest;
    const key = made.hasKey ? ", with the key of its secrets" : "";
    const told = `${bytesWords(made.bytes)} of Postgres ${postgres}, schema ${migrations}${key}`;
    hint(isPiped ? `Backed up ${told}` : `Backed up to ${file}: ${told}`);
  });

  const back = withEmbeddedOptions(
    program
      .command("restore <file>")
      .description("put a backup into a data folder that is empty, and let Postgres recover it"),
  ).addHelpText("after", "\nExample:\n  fastlane restore /backups/fastlane.tar.zst");
  back.action(async (file: string) => {
    const options = optionsOf(back);
    const { manifest } = await restore(options, file);
    process.stdout.write(
      `Restored to ${options.config.dataDir}: as it was at ${manifest.createdAt}, with fastlane ` +
        `${manifest.fastlane}\nStart fastlane up: what ran then is taken over from its hosts, and ` +
        "what was begun since is stopped there\n",
    );
  });
}
