// Prints fastlane(1), made from the command line itself; `bun scripts/man-page.ts SECONDS` dates it.
import type { Command } from "commander";
import { version } from "../package.json" with { type: "json" };
import { createProgram } from "../src/cli/program.ts";

const WIDTH = 79;
const ABOUT =
  "A job is posted to fastlane over HTTP, or by the commands below. It runs in a container on one of " +
  "a pool of Docker hosts; fastlane keeps its log and its exit code. All that is known is in one " +
  "Postgres, which fastlane brings unless one is configured.";
const FILES = [
  ["/etc/fastlane/fastlane.toml", "The configuration, where no other is named."],
  ["/etc/credstore/fastlane.NAME", "A secret for the service: the key NAME of the configuration."],
  ["/var/lib/fastlane", "What the service and root keep, the embedded Postgres among it."],
  ["~/.local/share/fastlane", "The same of everybody else."],
];
const VARIABLES = [
  ["FASTLANE_URL", "The fastlane that the commands ask, and a saved login does not count then."],
  ["FASTLANE_TOKEN", "The token that is shown to it."],
  ["FASTLANE_CONFIG", "The configuration file."],
  [
    "FASTLANE_KEY",
    "A key of the configuration, over the file: FASTLANE_DATABASE_URL is databaseUrl.",
  ],
  ["NO_COLOR", "No colours, as --no-color."],
];

/** @param date Seconds since 1970. */
export function manPage(date: number): string {
  const program = createProgram({ environment: {}, version });
  const day = new Date(date * 1_000).toISOString().slice(0, 10);
  const top = program.commands.filter((command) => command.name() !== "help");
  return [
    `.TH FASTLANE 1 "${day}" "fastlane ${version}" "User Commands"`,
    ".SH NAME",
    `fastlane \\- ${lowerFirst(escaped(program.description()))}`,
    ".SH SYNOPSIS",
    ".B fastlane",
    ".I command",
    "[\\fIoptions\\fR] [\\fIarguments\\fR]",
    ".SH DESCRIPTION",
    sentence(ABOUT),
    ".SH OPTIONS",
    ...optionsOf(program),
    ".SH COMMANDS",
    ...top.flatMap((command) => commandSections(command, "fastlane")),
    ".SH ENVIRONMENT",
    ...VARIABLES.flatMap(([name = "", about = ""]) => tagged(bold(name), about)),
    ".SH FILES",
    ...FILES.flatMap(([name = "", about = ""]) => tagged(`\\fI${escaped(name)}\\fR`, about)),
    ".SH EXIT STATUS",
    ...tagged(bold("0"), "All is well."),
    ...tagged(
      bold("2"),
      "The command could not be carried out; what is wrong is on standard error.",
    ),
    ...tagged(
      bold("125"),
      'The same of "fastlane run", which else ends with the container\'s own code.',
    ),
    ".SH EXAMPLES",
    ...exampleLines(afterHelp(program)).slice(1),
    ".SH SEE ALSO",
    ".BR docker (1),",
    ".BR systemctl (1)",
    "",
  ].join("\n");
}

/** A command and those below it, each under its whole name. */
function commandSections(command: Command, path: string): string[] {
  const name = `${path} ${command.name()}`;
  const shown = `${name} ${command.usage()}`.replaceAll(/ +/g, " ").trim();
  const operands = command.registeredArguments.filter(({ description }) => description !== "");
  const below = command.commands.filter((each) => each.name() !== "help");
  return [
    `.SS "${escaped(shown).replaceAll('"', "\\(dq")}"`,
    sentence(command.description()),
    ...operands.flatMap((operand) =>
      tagged(`\\fI${escaped(operand.name())}\\fR`, operand.description),
    ),
    ...optionsOf(command),
    ...exampleLines(afterHelp(command)),
    ...below.flatMap((each) => commandSections(each, name)),
  ];
}

function optionsOf(command: Command): string[] {
  const help = command.createHelp();
  return help
    .visibleOptions(command)
    .filter(({ long }) => long !== "--help" || command.parent === null)
    .flatMap((option) => tagged(bold(option.flags), help.optionDescription(option)));
}

/** What the help says behind the options, as it is laid out. */
function afterHelp(command: Command): string {
  let whole = "";
  command.configureOutput({
    writeOut: (text) => {
      whole += text;
    },
  });
  command.outputHelp();
  return whole.slice(command.helpInformation().length).trim();
}

const tagged = (tag: string, about: string) => [".TP", tag, sentence(about)];
const bold = (text: string) => `\\fB${escaped(text)}\\fR`;

function exampleLines(text: string): string[] {
  if (text === "") return [];
  return [".PP", ".nf", ...text.split("\n").map((line) => guarded(escaped(line))), ".fi"];
}

function sentence(text: string): string {
  // A list of words, such as what is allowed, stays as it is.
  const whole = text.replace(
    /^[a-z]+(?= |$)/,
    (word) => `${word[0]?.toUpperCase()}${word.slice(1)}`,
  );
  return wrapped(escaped(/[.)]$/.test(whole) ? whole : `${whole}.`));
}

/** Lines of the source, not of the page. */
function wrapped(text: string): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length >= WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.map(guarded).join("\n");
}

const lowerFirst = (text: string) => `${text[0]?.toLowerCase() ?? ""}${text.slice(1)}`;

/** A dot or a quote at the beginning of a line would be a request. */
const guarded = (line: string) => (/^[.']/.test(line) ? `\\&${line}` : line);

function escaped(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("'", "\\(aq")
    .replaceAll("`", "\\(ga")
    .replaceAll("^", "\\(ha")
    .replaceAll("~", "\\(ti");
}

if (import.meta.main) process.stdout.write(manPage(Number(process.argv[2] ?? 0)));
