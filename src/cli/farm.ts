import { type Command, Option } from "commander";
import type * as v from "valibot";
import { type Client, read } from "../client/client.ts";
import { ClientError } from "../client/client-error.ts";
import { HostsAnswer, StatusAnswer } from "../client/farm-answers.ts";
import { messageOf } from "../core/errors.ts";
import { drawAgainAndAgain } from "../terminal/live.ts";
import { safeJson } from "../terminal/safe-json.ts";
import { safeLine } from "../terminal/safe-text.ts";
import { clientOf, withClientOptions } from "./client-options.ts";
import { countLines, hostTable, poolTable, scheduleTable } from "./farm-view.ts";
import { secondsOf } from "./flags.ts";
import { addHostVerbs } from "./host-verbs.ts";
import type { Surroundings } from "./program.ts";
import { type Screen, type Showing, screenOf, show, wantsJson } from "./screen.ts";
import { storeLine } from "./store-line.ts";

const DEFAULT_SECONDS = 2;
const SCHEDULES_SHOWN = 8;

export function addStatusCommand(program: Command, surroundings: Surroundings): void {
  const command = withWatch(
    program
      .command("status")
      .description("draw the farm: pools, hosts, queues and what is scheduled next"),
    "  fastlane status\n  fastlane status --watch\n  fastlane status --json | jq .pools",
  );
  command.action(() =>
    showOrWatch(command, surroundings, {
      schema: StatusAnswer,
      ask: (client) => client.get("/status/"),
      draw: (answer, screen, client) => {
        const upcoming = answer.jobs.scheduled.slice(0, SCHEDULES_SHOWN);
        const { bold, dim } = screen.colours;
        const version = safeLine(`fastlane ${answer.fastlane.version}`);
        return [
          `${bold(version)} ${dim(client.url)}\n${countLines(answer, screen)}${storeLine(answer, screen)}`,
          poolTable(answer.pools, screen),
          hostTable(answer.hosts, screen, false),
          ...(upcoming.length === 0 ? [] : [scheduleTable(upcoming, screen)]),
        ].join("\n");
      },
    }),
  );
}

export function addHostsCommand(program: Command, surroundings: Surroundings): void {
  const command = withWatch(
    program
      .command("hosts")
      .description("draw the hosts: state, circuit breaker, owner, errors")
      // So that a flag behind the name of what is done to a host is that one's own.
      .enablePositionalOptions(),
    "  fastlane hosts --watch 5\n  fastlane hosts drain 10.0.0.7:2375 --deadline 10m",
  );
  command.action(() =>
    showOrWatch(command, surroundings, {
      schema: HostsAnswer,
      ask: (client) => client.get("/hosts/"),
      draw: ({ hosts, pools }, screen) =>
        `${poolTable(pools, screen)}\n${hostTable(hosts, screen, true)}`,
    }),
  );
  addHostVerbs(command, surroundings);
}

function withWatch(command: Command, examples: string): Command {
  return withClientOptions(command)
    .addOption(
      new Option(
        "--watch [seconds]",
        `draw again every so many seconds, ${DEFAULT_SECONDS} unless given`,
      )
        .argParser(secondsOf)
        .preset(String(DEFAULT_SECONDS)),
    )
    .addHelpText("after", `\nExamples:\n${examples}`);
}

async function showOrWatch<Schema extends v.GenericSchema>(
  command: Command,
  surroundings: Surroundings,
  showing: Showing<Schema>,
): Promise<void> {
  const { watch: seconds } = command.opts<{ watch?: number }>();
  if (seconds === undefined) return await show(command, surroundings, showing);
  const client = await clientOf(command, surroundings);
  const end = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(name, () => end.abort());
  }
  let last = "";
  await drawAgainAndAgain({
    out: process.stdout,
    everyMs: seconds * 1_000,
    signal: end.signal,
    async draw() {
      const screen = screenOf(command, surroundings);
      try {
        last = await drawn(command, client, showing, screen);
        return wantsJson(command) ? last : headed(last, screen);
      } catch (error) {
        // A service that starts anew is back soon: what was known of it stays until then.
        if (!(error instanceof ClientError && error.isPassing)) throw error;
        return `${screen.colours.red(safeLine(messageOf(error)))}\n${last}`;
      }
    },
  });
}

function headed(text: string, { colours, columns, now }: Screen): string {
  const at = colours.dim(now.toISOString().replace("T", " ").slice(0, 19));
  return columns === null ? `${at}\n${text}\n` : `${at}  ${colours.dim("Ctrl-C ends")}\n${text}`;
}

async function drawn<Schema extends v.GenericSchema>(
  command: Command,
  client: Client,
  { schema, ask, draw }: Showing<Schema>,
  screen: Screen,
): Promise<string> {
  const answer = await ask(client);
  if (wantsJson(command)) return `${safeJson(answer)}\n`;
  return await draw(read(client, schema, answer), screen, client);
}
