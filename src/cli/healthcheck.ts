import type { Command } from "commander";
import { messageOf } from "../core/errors.ts";
import { configOf, withConfigOptions, withListenOptions } from "./options.ts";
import type { Surroundings } from "./program.ts";
import { print } from "./screen.ts";

const ANSWER_LIMIT_MS = 4_000;
const EVERYWHERE: Record<string, string> = { "0.0.0.0": "127.0.0.1", "::": "[::1]" };

/** For a container's health check: it has the service's own configuration, and no other program. */
export function addHealthcheckCommand(program: Command, surroundings: Surroundings): void {
  const command = withListenOptions(
    withConfigOptions(
      program
        .command("healthcheck")
        .description("ask the fastlane of this configuration whether it works; the code is 0 or 1"),
    ),
  );
  command.action(async () => {
    const { host, port } = configOf(command, surroundings);
    const address = EVERYWHERE[host] ?? (host.includes(":") ? `[${host}]` : host);
    const url = `http://${address}:${port}/healthcheck/`;
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_LIMIT_MS) });
      await print(`${await answer.text()}\n`);
      process.exitCode = answer.ok ? 0 : 1;
    } catch (error) {
      process.stderr.write(`Cannot ask ${url}: ${messageOf(error)}\n`);
      // Docker keeps 2 for itself.
      process.exitCode = 1;
    }
  });
}
