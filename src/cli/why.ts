import type { Command } from "commander";
import { WhyAnswer } from "../client/answers.ts";
import { pathOf, resolveJob } from "../client/names.ts";
import { safeLine } from "../terminal/safe-text.ts";
import { withClientOptions } from "./client-options.ts";
import type { Surroundings } from "./program.ts";
import { show } from "./screen.ts";
import { NAMES_HELP } from "./show.ts";

export function addWhyCommand(program: Command, surroundings: Surroundings): void {
  const command = withClientOptions(
    program
      .command("why <name...>")
      .usage("[options] NAME")
      .description("say why something has not started, what it does, or how it ended")
      .addHelpText(
        "after",
        `${NAMES_HELP}\n\nExamples:\n  fastlane why reports\n  fastlane why 36e1b166`,
      ),
  );
  command.action(async (words: string[]) => {
    await show(command, surroundings, {
      schema: WhyAnswer,
      ask: async (client) => client.get(`${pathOf(await resolveJob(client, words))}why/`),
      draw: ({ summary, reasons }, { colours }) => {
        const each = reasons.map(
          ({ code, message }) => `  ${colours.yellow(safeLine(code))}  ${safeLine(message)}\n`,
        );
        return `${safeLine(summary)}\n${reasons.length > 1 ? each.join("") : ""}`;
      },
    });
  });
}
