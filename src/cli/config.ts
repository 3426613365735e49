import type { Command } from "commander";
import { defaultFile } from "../config/default-file.ts";
import { ConfigError, UnreadableFile } from "../config/fault.ts";
import { checkedConfig, type Sources } from "../config/load.ts";
import { shownConfig } from "../config/show.ts";
import { sourcesOf, withConfigOptions, withListenOptions } from "./options.ts";
import type { Surroundings } from "./program.ts";

const EXIT_CODE_OF_WRONG = 1;
const EXIT_CODE_OF_UNREADABLE = 2;

interface Flags {
  check?: string | true;
  show?: string | true;
}

export function addConfigCommand(program: Command, surroundings: Surroundings): void {
  const command = withListenOptions(
    withConfigOptions(
      program
        .command("config")
        .description("print the commented default file, or look at the configuration")
        .option("--check [file]", "tell everything that is wrong, without starting anything")
        .option("--show [file]", "print what counts, and where it was said; secrets are ***"),
    ),
  ).addHelpText(
    "after",
    "\nWith --check, the code is 0 when all is right, 1 when something is wrong, 2 when the file cannot" +
      "\nbe read. Variables and flags count as they do at a start." +
      "\n\nExamples:\n  fastlane config >fastlane.toml\n  fastlane config --check fastlane.toml" +
      "\n  fastlane config --show fastlane.toml",
  );
  command.action(() => {
    const { check, show } = command.opts<Flags>();
    if (check !== undefined) {
      process.exitCode = checkConfig(command, surroundings, check);
    } else {
      process.stdout.write(
        show === undefined ? defaultFile() : shownConfig(sourcesWith(command, surroundings, show)),
      );
    }
  });
}

/** @param file The one that was named with the flag itself, `true` for none. */
function sourcesWith(command: Command, surroundings: Surroundings, file: string | true): Sources {
  const sources = sourcesOf(command, surroundings);
  return file === true ? sources : { ...sources, configFile: file };
}

/** @returns The exit code. */
function checkConfig(command: Command, surroundings: Surroundings, file: string | true): number {
  try {
    const { what, notices } = checkedConfig(sourcesWith(command, surroundings, file));
    for (const notice of notices) process.stderr.write(`Notice: ${notice}\n`);
    process.stdout.write(`${what} is right\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.faults.join("\n")}\n`);
    return error instanceof UnreadableFile ? EXIT_CODE_OF_UNREADABLE : EXIT_CODE_OF_WRONG;
  }
}
