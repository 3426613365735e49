import { Command, CommanderError } from "commander";
import type { Environment } from "../config/load.ts";
import { addConfigCommand } from "./config.ts";
import { addDoctorCommand } from "./doctor.ts";
import { addLogsCommand } from "./logs.ts";
import { addMigrateCommand } from "./migrate.ts";
import { addNotifyTestCommand } from "./notify-test.ts";
import { addRunCommand } from "./run.ts";
import { addServeCommands } from "./serve.ts";

const EXIT_CODE_OF_ERRORS = 2;

/** What the commands need of the process that they run in. */
export interface Surroundings {
  environment: Environment;
  version: string;
}

/** The command line: argv in, one command run. */
export function createProgram(surroundings: Surroundings): Command {
  const program = new Command("fastlane")
    .description("Runs container jobs over HTTP on a pool of Docker hosts")
    .version(surroundings.version)
    .showHelpAfterError("(fastlane --help shows the commands)")
    .exitOverride((error) => {
      if (error.exitCode === 0) throw error;
      throw new CommanderError(EXIT_CODE_OF_ERRORS, error.code, error.message);
    });
  addServeCommands(program, surroundings);
  addConfigCommand(program, surroundings);
  addMigrateCommand(program, surroundings);
  addNotifyTestCommand(program, surroundings);
  addDoctorCommand(program, surroundings);
  addRunCommand(program, surroundings);
  addLogsCommand(program, surroundings);
  return program;
}
