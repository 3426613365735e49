import { Argument, type Command, type Option } from "commander";
import { bashScript, fishScript, type Level, zshScript } from "./completion-scripts.ts";
import { print } from "./screen.ts";

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };

/** To be added last: it completes what is there by then. */
export function addCompletionCommand(program: Command): void {
  program
    .command("completion")
    .description("print what makes a shell complete commands and flags")
    .addArgument(new Argument("<shell>", "which shell").choices(Object.keys(SCRIPTS)))
    .addHelpText(
      "after",
      "\nExamples:\n" +
        "  source <(fastlane completion bash)     # in ~/.bashrc\n" +
        "  source <(fastlane completion zsh)      # in ~/.zshrc, behind compinit\n" +
        "  fastlane completion fish > ~/.config/fish/completions/fastlane.fish",
    )
    .action(async (shell: keyof typeof SCRIPTS) => {
      await print(completionScript(program, shell));
    });
}

export function completionScript(program: Command, shell: keyof typeof SCRIPTS): string {
  return SCRIPTS[shell](levelsOf(program, []));
}

/** The program and all commands below it, each before those that it has. */
function levelsOf(command: Command, path: string[]): Level[] {
  const { visibleCommands, visibleOptions } = {
    visibleCommands: command.createHelp().visibleCommands(command),
    visibleOptions: command.createHelp().visibleOptions(command),
  };
  const level = {
    path,
    commands: visibleCommands.map((each) => ({ word: each.name(), about: each.description() })),
    flags: visibleOptions.map(flagOf),
    choices: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
  };
  const below = command.commands.flatMap((each) => levelsOf(each, [...path, each.name()]));
  return [level, ...below];
}

function flagOf(option: Option): Level["flags"][number] {
  return {
    words: [option.short, option.long].filter((word) => typeof word === "string"),
    about: option.description,
    takesValue: option.required,
    choices: option.argChoices ?? [],
    isFile: /<(?:file|folder)>/.test(option.flags),
  };
}
