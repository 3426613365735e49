import { type Command, CommanderError } from "commander";
import type { Client } from "../client/client.ts";
import { type Enqueued, enqueue } from "../client/enqueue.ts";
import { messageOf } from "../core/errors.ts";
import { safeLine } from "../terminal/safe-text.ts";
import { createStatusLine } from "../terminal/status-line.ts";
import { clientOf, withClientOptions } from "./client-options.ts";
import { unsetOf } from "./envs.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { createLogOutput, flushed } from "./log-output.ts";
import { payloadOf, withPayloadOptions } from "./payload-flags.ts";
import type { Surroundings } from "./program.ts";
import { type RunDeps, runToEnd, scheduleLine } from "./run-to-end.ts";
import { hint } from "./screen.ts";

interface RunFlags {
  detach?: true;
  json?: true;
  verbose?: true;
  env?: readonly string[];
}

const USAGE = "fastlane run TASK --image IMAGE -- COMMAND";
const DESCRIPTION = `run a command in a container, follow it, and end with its exit code: ${USAGE}`;

export function addRunCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command("run")
    .description(DESCRIPTION)
    .argument("<task>", "the group of jobs that it belongs to; made when it is not there yet")
    .argument("[command...]", "behind --, so that its own flags are not taken for fastlane's")
    .option("-d, --detach", "print its URLs, and leave it to itself")
    .option("-v, --verbose", "tell how the image is pulled, also where there is no terminal");
  withClientOptions(withPayloadOptions(command));
  // As docker run has it: all codes below are the container's.
  command.exitOverride((error) => {
    if (error.exitCode === 0) throw error;
    if (error.code === "commander.unknownOption" && !process.argv.includes("--")) {
      process.stderr.write(`(flags of the command stand behind --: ${USAGE})\n`);
    }
    throw new CommanderError(EXIT_CODES.notRun, error.code, error.message);
  });
  command.action(async (taskId: string, words: string[]) => {
    try {
      process.exitCode = await run(command, surroundings, taskId, words);
    } catch (error) {
      process.stderr.write(`fastlane: ${safeLine(messageOf(error))}\n`);
      process.exitCode = EXIT_CODES.notRun;
    }
  });
}

async function run(
  command: Command,
  surroundings: Surroundings,
  taskId: string,
  words: readonly string[],
): Promise<number> {
  const { environment } = surroundings;
  const flags = command.opts<RunFlags>();
  const payload = payloadOf(command, words, environment);
  requireWhatRuns(payload);
  for (const name of unsetOf(flags.env ?? [], environment)) {
    hint(`fastlane: -e ${safeLine(name)}: there is no such variable here, so it is not given`);
  }
  const client = await clientOf(command, surroundings);
  const { stdin, stdout, stderr } = process;
  const isTerminal = stderr.isTTY === true && environment["TERM"] !== "dumb";
  const noColor = (environment["NO_COLOR"] ?? "") !== "";
  const status = createStatusLine(isTerminal ? stderr : { write: () => {} }, noColor);
  // An answer in JSON has stdout for itself.
  const output = createLogOutput({ stdout: flags.json ? stderr : stdout, stderr, status });
  const deps: RunDeps = {
    client,
    output,
    status,
    taskId,
    isVerbose: flags.verbose === true,
    isTerminal,
    isJson: flags.json === true,
    terminal: isTerminal && stdin.isTTY === true ? stdin : null,
  };
  const made = () =>
    enqueue(client, taskId, payload, (why) => status.show(`${why.message}; trying again`));
  const isDetached = flags.detach === true || payload["cron"] != null;
  if (!isDetached) return await runToEnd(deps, made);
  const answer = await made().finally(() => status.show(null));
  if (answer.notice !== undefined) await output.say(`fastlane: ${safeLine(answer.notice)}`);
  await flushed(stdout, flags.json ? `${JSON.stringify(answer)}\n` : urlsOf(answer));
  if (answer.executionUrl === null) await tellSchedule(client, deps, answer);
  return 0;
}

function requireWhatRuns(payload: Readonly<Record<string, unknown>>): void {
  const missing = [
    ...("image" in payload ? [] : ["give --image IMAGE"]),
    ...("command" in payload ? [] : ["give the command behind --"]),
  ];
  if (missing.length > 0) throw new Error(`Nothing to run: ${missing.join(", and ")}`);
}

async function tellSchedule(client: Client, { output, taskId }: RunDeps, { jobId }: Enqueued) {
  const line = await scheduleLine(client, { taskId, jobId, executionId: null });
  if (line !== null) await output.say(`fastlane: ${line}`);
}

function urlsOf({ executionUrl, jobUrl }: Enqueued): string {
  return executionUrl === null ? `job ${jobUrl}\n` : `execution ${executionUrl}\njob ${jobUrl}\n`;
}
