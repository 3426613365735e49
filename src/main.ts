import { CommanderError } from "commander";
import { createProgram } from "./cli/program.ts";
import { messageOf, stackOf } from "./core/errors.ts";
import { isDatabaseDown } from "./store/faults.ts";

declare const FASTLANE_VERSION: string | undefined;

const environment = { ...process.env };
// dockerode takes these over what it is told, and Bun those: each host is reached as the
// configuration says, and a fastlane as the client's own rules say. OpenTelemetry's packages would
// read theirs beside the configuration. And the word of this process counts for the service, not
// that of a child.
const NOT_FOR_OTHERS =
  /^DOCKER_|^NODE_TLS_REJECT_UNAUTHORIZED$|^(?:https?|all|no)_proxy$|^NOTIFY_SOCKET$|^WATCHDOG_|^OTEL_/i;
for (const name of Object.keys(process.env)) {
  if (NOT_FOR_OTHERS.test(name)) delete process.env[name];
}

// docker-modem parses URLs in a way that Node warns of; standard error is for the log alone.
process.noDeprecation = true;

const fatal = (error: unknown) => {
  process.stderr.write(`fastlane: ${stackOf(error)}\n`);
  process.exit(70);
};
// Whatever is lost with Postgres is done again by those who watch it; anything else is a bug, and
// a process in an unknown state is worse than none: containers run on, and the next start adopts.
process.on("unhandledRejection", (error) => {
  if (!isDatabaseDown(error)) fatal(error);
});
process.on("uncaughtException", fatal);

async function main(): Promise<void> {
  const version = typeof FASTLANE_VERSION === "string" ? FASTLANE_VERSION : "development";
  try {
    await createProgram({ environment, version }).parseAsync();
    process.exit();
  } catch (error) {
    if (error instanceof CommanderError) process.exit(error.exitCode);
    process.stderr.write(`${messageOf(error)}\n`);
    process.exit(2);
  }
}

void main();
