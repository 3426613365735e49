import type { Command } from "commander";
import { ExecutionAnswer, JobAnswer } from "../client/answers.ts";
import { pathOf, resolveJob } from "../client/names.ts";
import { clientOf, withClientOptions } from "./client-options.ts";
import { drawExecution } from "./draw-execution.ts";
import { drawJob } from "./draw-job.ts";
import type { Surroundings } from "./program.ts";
import { showOf } from "./screen.ts";

/** What the words after a command may be. */
export const NAMES_HELP =
  "\nNAME is TASK JOB [EXECUTION], TASK alone for its newest job, an EXECUTION alone, or the URL of\n" +
  "either; ids may be cut to their first eight characters.";

export function addShowCommand(program: Command, surroundings: Surroundings): void {
  const command = withClientOptions(
    program
      .command("show <name...>")
      .usage("[options] NAME")
      .description("show a job or an execution")
      .addHelpText(
        "after",
        `${NAMES_HELP}\n\nExamples:\n  fastlane show reports\n  fastlane show reports 5a023792 36e1b166\n  fastlane show 36e1b166 --json`,
      ),
  );
  command.action(async (words: string[]) => {
    const client = await clientOf(command, surroundings);
    const name = await resolveJob(client, words);
    const ask = () => client.get(pathOf(name));
    const isJob = name.executionId === null;
    if (isJob) {
      await showOf(client, command, surroundings, { schema: JobAnswer, ask, draw: drawJob(name) });
    } else {
      const draw = drawExecution(name);
      await showOf(client, command, surroundings, { schema: ExecutionAnswer, ask, draw });
    }
  });
}
