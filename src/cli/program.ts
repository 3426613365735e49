import { Command, CommanderError } from "commander";
import type { Environment } from "../config/load.ts";
import { addAuditCommand } from "./audit.ts";
import { addBackupCommands } from "./backup.ts";
import { addCompletionCommand } from "./completion.ts";
import { addConfigCommand } from "./config.ts";
import { addDoctorCommand } from "./doctor.ts";
import { addExecutionsCommand } from "./executions.ts";
import { addHostsCommand, addStatusCommand } from "./farm.ts";
import { addHealthcheckCommand } from "./healthcheck.ts";
import { addLicensesCommand } from "./licenses.ts";
import { addListCommands } from "./lists.ts";
import { addLoginCommands } from "./login.ts";
import { addLogsCommand } from "./logs.ts";
import { addMigrateCommand } from "./migrate.ts";
import { addNotifyTestCommand } from "./notify-test.ts";
import { addPruneCommand } from "./prune.ts";
import { addRunCommand } from "./run.ts";
import { addServeCommands } from "./serve.ts";
import { addShowCommand } from "./show.ts";
import { addStopAndRetryCommands } from "./stop-retry.ts";
import { addSystemdCommand } from "./systemd.ts";
import { addTokenCommands } from "./token.ts";
import { addTransferCommands } from "./transfer.ts";
import { addWhyCommand } from "./why.ts";

const EXIT_CODE_OF_ERRORS = 2;
const EXAMPLES = `
Examples:
  fastlane up                                         everything, on this machine
  fastlane run first --image busybox -- echo hello    a first job, and its log
  fastlane status --watch                             the farm, drawn again and again
  fastlane why first                                  why its newest job is as it is

Errors end a command with code 2, "fastlane run" with 125.`;

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
    // A flag belongs to the command that it stands behind, as in `hosts drain HOST --json`.
    .enablePositionalOptions()
    .addHelpText("after", EXAMPLES)
    .showHelpAfterError("(fastlane --help shows the commands)")
    .exitOverride((error) => {
      if (error.exitCode === 0) throw error;
      throw new CommanderError(EXIT_CODE_OF_ERRORS, error.code, error.message);
    });
  addGroups(program, surroundings);
  return program;
}

function addGroups(program: Command, surroundings: Surroundings): void {
  const group = (heading: string, ...adds: ((to: Command, by: Surroundings) => void)[]) => {
    program.commandsGroup(heading);
    for (const add of adds) add(program, surroundings);
  };
  group(
    "Serve:",
    addServeCommands,
    addMigrateCommand,
    addHealthcheckCommand,
    addSystemdCommand,
    addBackupCommands,
  );
  group(
    "Jobs:",
    addRunCommand,
    addLogsCommand,
    addShowCommand,
    addWhyCommand,
    addListCommands,
    addExecutionsCommand,
    addStopAndRetryCommands,
  );
  group(
    "Farm:",
    addStatusCommand,
    addHostsCommand,
    addAuditCommand,
    addPruneCommand,
    addTransferCommands,
  );
  group("Access:", addLoginCommands, addTokenCommands);
  group(
    "Configuration:",
    addConfigCommand,
    addDoctorCommand,
    addNotifyTestCommand,
    addLicensesCommand,
    addCompletionCommand,
  );
  // Its own help is no group's.
  program.commandsGroup("Commands:");
}
