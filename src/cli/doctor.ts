import type { Command } from "commander";
import { loadConfig } from "../config/load.ts";
import { examine } from "../doctor/examination.ts";
import { type Finding, isWell } from "../doctor/finding.ts";
import { coloursFor } from "../terminal/colours.ts";
import { jsonOf, linesOf, summaryOf } from "./doctor-text.ts";
import { sourcesOf, withConfigOptions, withListenOptions } from "./options.ts";
import type { Surroundings } from "./program.ts";

interface Flags {
  json?: boolean;
  strict?: boolean;
  canary: boolean;
  color: boolean;
}

const EXIT_CODE_OF_PROBLEMS = 1;
const EXIT_CODE_OF_INTERRUPTION = 130;

const HELP = `
Exit codes: 0 no problem (with --strict: no warning either), 1 problems, 2 the configuration is wrong.

Examples:
  fastlane doctor --config /etc/fastlane/fastlane.toml
  fastlane doctor --no-canary          # looks, and runs no container anywhere
  fastlane doctor --json | jq '.findings[] | select(.level != "ok")'
  fastlane doctor --strict || echo "something is to be done"`;

export function addDoctorCommand(program: Command, surroundings: Surroundings): void {
  const command = withListenOptions(
    withConfigOptions(
      program
        .command("doctor")
        .description("look at Postgres, hosts and all else, and say what is to be done")
        .option("--json", "print the findings as JSON")
        .option("--strict", "take warnings for problems")
        .option("--no-color", "no colours, as with NO_COLOR in the environment")
        .option("--no-canary", "run no container on the hosts")
        .addHelpText("after", HELP),
    ),
  );
  command.action(() => look(command, surroundings));
}

async function look(command: Command, surroundings: Surroundings): Promise<void> {
  const { json = false, strict = false, canary, color } = command.opts<Flags>();
  const sources = sourcesOf(command, surroundings);
  // A port that is open to all is a finding here, and no reason to look no further.
  const config = loadConfig({ ...sources, flags: { ...sources.flags, noAuth: true } });
  const asked = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => asked.abort());
  }
  const all: Finding[] = [];
  const colours = coloursFor({
    isTerminal: process.stdout.isTTY === true,
    environment: surroundings.environment,
    refused: color === false,
  });
  await examine({
    config,
    version: surroundings.version,
    withCanary: canary,
    signal: asked.signal,
    onFindings(findings) {
      all.push(...findings);
      if (!json) for (const line of findings.flatMap((each) => linesOf(each, colours))) say(line);
    },
  });
  await saidAll(json ? jsonOf(all) : `\n${summaryOf(all)}`);
  if (!isWell(all, { strict })) process.exitCode = EXIT_CODE_OF_PROBLEMS;
  if (asked.signal.aborted) process.exitCode = EXIT_CODE_OF_INTERRUPTION;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Resolves when a reader behind a pipe has got all of it: the process ends next. */
async function saidAll(text: string): Promise<void> {
  await new Promise((resolve) => process.stdout.write(`${text}\n`, resolve));
}
