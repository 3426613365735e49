import type { Command } from "commander";
import { WhoamiAnswer } from "../client/access-answers.ts";
import { read } from "../client/client.ts";
import { ClientError } from "../client/client-error.ts";
import { readLogins, removeLogin, saveLogin } from "../client/logins.ts";
import { parseServerUrl } from "../client/server-url.ts";
import { fromNow } from "../terminal/amounts.ts";
import { factLines } from "../terminal/facts.ts";
import { safeJson } from "../terminal/safe-json.ts";
import { safeLine } from "../terminal/safe-text.ts";
import { clientOf, withClientOptions } from "./client-options.ts";
import type { Surroundings } from "./program.ts";
import { hint, print, show, wantsJson } from "./screen.ts";
import { readSecret } from "./secret-input.ts";

export function addLoginCommands(program: Command, surroundings: Surroundings): void {
  const login = withClientOptions(
    program
      .command("login <server>")
      .description("save a token for a fastlane, which commands then ask")
      .addHelpText(
        "after",
        "\nThe token is typed, or comes from a pipe; FASTLANE_TOKEN goes before a saved one.\n\n" +
          "Examples:\n  fastlane login https://gate.example/fastlane\n" +
          "  fastlane login https://gate.example < token.txt",
      ),
  );
  login.action((server: string) => logIn(server, login, surroundings));

  const logout = program
    .command("logout [server]")
    .description("forget the token of a fastlane, the current one unless named")
    .addHelpText("after", "\nExample:\n  fastlane logout https://gate.example/fastlane");
  logout.action(async (server: string | undefined) => {
    const { environment } = surroundings;
    const named = server ?? (await readLogins(environment)).current;
    if (named === null)
      throw new ClientError("There is no current login: name the URL to log out of");
    const { url } = parseServerUrl(named);
    if (!(await removeLogin(environment, url)))
      throw new ClientError(`There is no login for ${url}`);
    await print(
      `Logged out of ${url}; the token itself goes on: "fastlane token revoke" ends it\n`,
    );
  });

  const whoami = withClientOptions(
    program
      .command("whoami")
      .description("say who one is to a fastlane, and what one may do")
      .addHelpText("after", "\nExamples:\n  fastlane whoami\n  fastlane whoami --json"),
  );
  whoami.action(async () => {
    await show(whoami, surroundings, {
      schema: WhoamiAnswer,
      ask: (client) => client.get("/whoami/"),
      draw: (answer, { colours, now }, { url }) => {
        const { kind, taskMatch, expiresAt } = answer;
        const facts = [
          ["Server", url],
          ["Name", answer.name === null ? null : safeLine(answer.name)],
          ["By", safeLine(kind)],
          ["Role", safeLine(answer.role)],
          ["Tasks", taskMatch === null ? "all" : safeLine(taskMatch)],
          ["Expires", expiresAt === null ? null : `${fromNow(new Date(expiresAt), now)}`],
        ] as const;
        return factLines(facts, colours);
      },
    });
  });
}

async function logIn(server: string, command: Command, surroundings: Surroundings): Promise<void> {
  const { environment } = surroundings;
  const { url, login } = parseServerUrl(server);
  if (login !== null) {
    throw new ClientError("The URL must have neither user nor password: a token is what is saved");
  }
  const token = await readSecret(`Token for ${url}: `);
  if (token === "") throw new ClientError("No token was given");
  const asked = { ...environment, FASTLANE_URL: url, FASTLANE_TOKEN: token };
  const client = await clientOf(command, { ...surroundings, environment: asked });
  const answer = await client.get("/whoami/").catch((error: unknown) => {
    if (!(error instanceof ClientError) || error.status !== 401) throw error;
    // How to log in is known to whoever does.
    throw new ClientError(error.words ?? `${url} does not know this token`, { status: 401 });
  });
  const { kind, name, role, taskMatch } = read(client, WhoamiAnswer, answer);
  if (kind === "anonymous") {
    throw new ClientError(`${url} asks nobody who they are: there is nothing to log in to`);
  }
  await saveLogin(environment, url, token);
  const set = ["FASTLANE_URL", "FASTLANE_TOKEN"].filter((name) => environment[name]);
  if (set.length > 0) {
    hint(`Unset ${set.join(" and ")} for commands to use what was saved`);
  }
  if (wantsJson(command)) return await print(`${safeJson(answer)}\n`);
  const tasks = taskMatch === null ? "" : `, for tasks that match ${safeLine(taskMatch)}`;
  await print(`Logged in to ${url} as ${safeLine(name ?? kind)}, ${safeLine(role)}${tasks}\n`);
}
