import { type Command, Option } from "commander";
import * as v from "valibot";
import { NewToken, Token, TokenList } from "../client/access-answers.ts";
import type { Config } from "../config/schema.ts";
import { ROLES } from "../core/actor.ts";
import { fromNow } from "../terminal/amounts.ts";
import { safeJson } from "../terminal/safe-json.ts";
import { safeLine } from "../terminal/safe-text.ts";
import { type Column, table } from "../terminal/table.ts";
import { withClientOptions } from "./client-options.ts";
import { createTokenLocally, listTokensLocally, revokeTokenLocally } from "./local-tokens.ts";
import { configOf, withConfigOptions } from "./options.ts";
import type { Surroundings } from "./program.ts";
import { hint, print, type Screen, type Showing, screenOf, show, wantsJson } from "./screen.ts";

interface CreateFlags {
  role: string;
  taskMatch?: string;
  expires?: string;
}

/** What is shown in the same way whoever answers. */
interface Told<Schema extends v.GenericSchema> extends Showing<Schema> {
  draw(answer: v.InferOutput<Schema>, screen: Screen): string;
}

export function addTokenCommands(program: Command, surroundings: Surroundings): void {
  const token = program.command("token").description("make, list and revoke tokens");
  const answer = async <Schema extends v.GenericSchema>(
    command: Command,
    told: Told<Schema>,
    locally: (config: Config) => Promise<unknown>,
  ) => {
    if (command.opts<{ local?: boolean }>().local !== true) {
      return await show(command, surroundings, told);
    }
    const made = await locally(configOf(command, surroundings));
    const screen = screenOf(command, surroundings);
    await print(
      wantsJson(command) ? `${safeJson(made)}\n` : told.draw(v.parse(told.schema, made), screen),
    );
  };

  const create = withPlaces(token.command("create <name>").description("make a token"))
    .addOption(
      new Option("--role <role>", "what it may do, each all that those before may")
        .choices(ROLES)
        .makeOptionMandatory(),
    )
    .option("--task-match <regex>", "only tasks whose ids this regular expression fits")
    .option("--expires <duration>", "how long it lasts, such as 90d or 12h; for ever when absent")
    .addHelpText(
      "after",
      "\nThe token alone goes to stdout, this once.\n\nExamples:\n" +
        "  fastlane token create ci --role submitter --task-match ^ci- --expires 90d > token.txt\n" +
        "  fastlane token create ops --role admin --local",
    );
  create.action(async (name: string) => {
    const { role, taskMatch, expires } = create.opts<CreateFlags>();
    const wish = {
      name,
      role,
      ...(taskMatch === undefined ? {} : { taskMatch }),
      ...(expires === undefined ? {} : { expiresIn: expires }),
    };
    const told: Told<typeof NewToken> = {
      schema: NewToken,
      ask: (client) => client.send("POST", "/tokens/", wish),
      draw: (made) => {
        const end = made.expiresAt === null ? "for ever" : `until ${made.expiresAt}`;
        hint(`Token "${made.name}", ${made.role}, ${end}; it is shown this once:`);
        return `${safeLine(made.token)}\n`;
      },
    };
    await answer(create, told, (config) => createTokenLocally(config, wish));
  });

  const list = withPlaces(token.command("list").description("list the tokens"))
    .option("--all", "with those that are revoked or have expired")
    .addHelpText("after", "\nExample:\n  fastlane token list --all");
  list.action(async () => {
    const { all = false } = list.opts<{ all?: boolean }>();
    const told: Told<typeof TokenList> = {
      schema: TokenList,
      ask: (client) => client.get("/tokens/", { all: all || undefined }),
      draw: ({ items }, screen) => table(items, tokenColumns(screen, all), screen),
    };
    await answer(list, told, async (config) => ({
      items: await listTokensLocally(config, all),
    }));
  });

  const revoke = withPlaces(
    token.command("revoke <name>").description("end a token at once"),
  ).addHelpText("after", "\nExample:\n  fastlane token revoke ci");
  revoke.action(async (name: string) => {
    const told: Told<typeof Token> = {
      schema: Token,
      ask: (client) => client.send("DELETE", `/tokens/${encodeURIComponent(name)}/`),
      draw: (revoked) => `Revoked token "${safeLine(revoked.name)}"\n`,
    };
    await answer(revoke, told, (config) => revokeTokenLocally(config, name));
  });
}

/** Asked of a fastlane, or done in its database. */
function withPlaces(command: Command): Command {
  withClientOptions(command).addOption(
    new Option(
      "--local",
      "in the database of the configuration, without asking a fastlane",
    ).conflicts(["url", "caFile"]),
  );
  return withConfigOptions(command.optionsGroup("Options of --local:")).optionsGroup("Options:");
}

function tokenColumns({ now, colours }: Screen, all: boolean): Column<Token>[] {
  const past = ({ revokedAt, expiresAt }: Token) =>
    revokedAt !== null ? "revoked" : isOver(expiresAt, now) ? "expired" : "live";
  return [
    { head: "NAME", of: ({ name }) => name, least: 10 },
    { head: "ROLE", of: ({ role }) => role },
    { head: "TASKS", of: ({ taskMatch }) => taskMatch ?? "all", least: 8 },
    ...(all
      ? [
          {
            head: "STATE",
            of: past,
            paint: (token: Token) => (past(token) === "live" ? colours.green : colours.dim),
          },
        ]
      : []),
    { head: "EXPIRES", of: ({ expiresAt }) => when(expiresAt, now) },
    { head: "USED", of: ({ lastUsedAt }) => when(lastUsedAt, now), leaveOut: 3 },
    { head: "CREATED", of: ({ createdAt }) => when(createdAt, now), leaveOut: 2 },
    { head: "BY", of: ({ createdBy }) => createdBy ?? "-", least: 6, leaveOut: 1 },
  ];
}

const when = (at: string | null, now: Date) => (at === null ? "never" : fromNow(new Date(at), now));
const isOver = (at: string | null, now: Date) => at !== null && Date.parse(at) <= now.getTime();
