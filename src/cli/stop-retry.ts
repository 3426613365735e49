import { type Command, Option } from "commander";
import { EnqueuedAnswer } from "../client/answers.ts";
import type { Client } from "../client/client.ts";
import { read } from "../client/client.ts";
import { type JobName, pathOf, resolveJob } from "../client/names.ts";
import { safeJson } from "../terminal/safe-json.ts";
import { safeLine } from "../terminal/safe-text.ts";
import { clientOf, withClientOptions } from "./client-options.ts";
import { withFilterOptions } from "./executions.ts";
import { choosesMany, doToMany, type ManyFlags, manyLines } from "./many.ts";
import type { Surroundings } from "./program.ts";
import { hint, print, screenOf, wantsJson } from "./screen.ts";
import { NAMES_HELP } from "./show.ts";

const VERBS = {
  stop: {
    description: "stop an execution, a job with its schedule, or all executions that fit",
    done: "Stopped",
    one: stopOne,
  },
  retry: {
    description: "run a job again, or the jobs of all executions that fit",
    done: "Retried",
    one: retryOne,
  },
} as const;

/** What was asked for did not happen, since the user said no. */
const EXIT_CODE_OF_NO = 1;

export function addStopAndRetryCommands(program: Command, surroundings: Surroundings): void {
  for (const act of ["stop", "retry"] as const) {
    const command = withFilterOptions(
      withClientOptions(
        program
          .command(`${act} [name...]`)
          .usage("[options] [NAME]")
          .description(VERBS[act].description),
      ),
    )
      .addOption(new Option("--yes", "all that fit, without a question"))
      .addOption(new Option("--dry-run", "only tell which fit").conflicts("yes"))
      .addHelpText("after", `${NAMES_HELP}\n\nExamples:\n${examplesOf(act)}`);
    command.action((words: string[]) => run(act, words, command, surroundings));
  }
}

function examplesOf(act: "stop" | "retry"): string {
  const statuses = act === "stop" ? "running" : "failed";
  return (
    `  fastlane ${act} reports 5a023792\n` +
    `  fastlane ${act} --task reports --status ${statuses} --dry-run\n` +
    `  fastlane ${act} --status ${statuses} --since 1h --yes`
  );
}

async function run(
  act: "stop" | "retry",
  words: string[],
  command: Command,
  surroundings: Surroundings,
): Promise<void> {
  const { task, status, host, since, until, yes, dryRun } = command.opts<ManyFlags>();
  const flags = { task, status, host, since, until, yes, dryRun } as ManyFlags;
  if (words.length > 0 === choosesMany(flags)) {
    const which = "--task, --status, --host, --since or --until";
    command.error(`error: give either a NAME or some of ${which}`);
  }
  const client = await clientOf(command, surroundings);
  const screen = screenOf(command, surroundings);
  if (words.length > 0) {
    const { answer, said } = await VERBS[act].one(client, await resolveJob(client, words));
    await print(wantsJson(command) ? `${safeJson(answer)}\n` : `${said}\n`);
    return;
  }
  const many = await doToMany(client, act, flags, command, screen);
  if (many === null) {
    hint("Nothing was done");
    process.exitCode = EXIT_CODE_OF_NO;
    return;
  }
  if (wantsJson(command)) {
    await print(`${safeJson({ ...many, dryRun: dryRun === true })}\n`);
    return;
  }
  const verb = dryRun === true ? `Would ${act}` : VERBS[act].done;
  await print(
    `${manyLines(many, screen)}${verb} ${many.count} ${many.count === 1 ? "execution" : "executions"}\n`,
  );
}

interface Done {
  answer: unknown;
  said: string;
}

async function stopOne(client: Client, name: JobName): Promise<Done> {
  const answer = await client.send("POST", `${pathOf(name)}stop/`);
  const { taskId, jobId, executionId } = name;
  const what =
    executionId === null
      ? `job ${jobId} of task "${safeLine(taskId)}", and its schedule if it has one`
      : `execution ${executionId} of task "${safeLine(taskId)}"`;
  return { answer, said: `Stopped ${what}` };
}

/** A retry is of the job, whichever execution of it was named. */
async function retryOne(client: Client, name: JobName): Promise<Done> {
  const answer = await client.send("POST", `${pathOf({ ...name, executionId: null })}retry/`);
  const { taskId, jobId, executionId } = read(client, EnqueuedAnswer, answer);
  const said = `Retried job ${jobId} of task "${safeLine(taskId)}": execution ${executionId}`;
  return { answer, said };
}
