import { basename, isAbsolute, resolve } from "node:path";
import { Argument, type Command, InvalidArgumentError } from "commander";
import { CREDENTIALS } from "../config/sources.ts";
import type { Surroundings } from "./program.ts";
import { print } from "./screen.ts";
import { SERVICES, type Service, serviceUnit, socketUnit } from "./systemd-units.ts";

const INSTALLED = "/usr/bin/fastlane";
/** As systemd takes the names of users, groups and credentials. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,30}$/;
/** What `PrivateTmp` and `ProtectHome` of the unit hide from the service. */
const HIDDEN = /^\/(?:tmp|var\/tmp|home|root|run\/user)\//;

interface Flags {
  socket?: true;
  binary: string;
  config?: string;
  user: string;
  dockerGroup: string | false;
  credential?: string[];
  listen: string;
}

export function addSystemdCommand(program: Command, _surroundings: Surroundings): void {
  const command = program
    .command("systemd")
    .description("print a unit of systemd that runs fastlane as a service")
    .addArgument(new Argument("[service]", "what the service runs").choices(SERVICES).default("up"))
    .option("--socket", "print the unit of the socket, by which systemd listens for the service")
    .option("--listen <address>", "what that socket listens on", listenOf, "127.0.0.1:10000")
    .option("--binary <file>", "the program", absolutePath, ownPath())
    .option("--config <file>", "its configuration file, unless it is the system's", resolvedPath)
    .option("--user <name>", "the user and the group that it runs as", nameOf, "fastlane")
    .option("--docker-group <name>", "the group that may use Docker's socket", nameOf, "docker")
    .option("--no-docker-group", "give the service no group beside its own")
    .option(
      "--credential <name>",
      "another secret of /etc/credstore that the configuration names, and so on",
      (name, before: string[] = []) => [...before, nameOf(name)],
    )
    .addHelpText(
      "after",
      "\nExamples:\n" +
        "  fastlane systemd >/etc/systemd/system/fastlane.service\n" +
        "  fastlane systemd --socket >/etc/systemd/system/fastlane.socket\n" +
        "  fastlane systemd worker --user deploy >/etc/systemd/system/fastlane-worker.service",
    );
  command.action(async (service: Service) => {
    const flags = command.opts<Flags>();
    if (command.getOptionValueSource("listen") === "cli" && !flags.socket) {
      throw new Error(
        `Cannot have the service itself listen on ${flags.listen}: host and port of its configuration ` +
          `say where it does, or a socket; for that one say fastlane systemd --socket --listen ${flags.listen}`,
      );
    }
    const unit = unitOf(service, flags);
    if (!flags.socket) warnOfHidden(flags);
    await print(unit);
  });
}

function unitOf(service: Service, flags: Flags): string {
  const { socket, binary, config = null, user, dockerGroup, credential = [], listen } = flags;
  if (socket) {
    if (service === "worker") {
      throw new Error('Cannot print a socket for "worker": it has no API; allowed are up and api');
    }
    return socketUnit({ service, listen });
  }
  return serviceUnit({
    service,
    binary,
    config,
    user,
    // The API speaks to Postgres alone.
    dockerGroup: service === "api" || dockerGroup === false ? null : dockerGroup,
    credentials: [...CREDENTIALS, ...credential],
  });
}

/** The program that prints it, where that is a program of its own. */
function ownPath(): string {
  return /^fastlane/.test(basename(process.execPath)) ? process.execPath : INSTALLED;
}

/** The unit is printed all the same: it may be for another machine, or be edited. */
function warnOfHidden({ binary, config }: Flags): void {
  if (HIDDEN.test(binary)) {
    process.stderr.write(
      `The service cannot start ${binary}, since its unit hides /tmp, /home and /root from it: install the ` +
        `program elsewhere, as by \`install ${binary} /usr/local/bin/fastlane\`, and say ` +
        "--binary /usr/local/bin/fastlane\n",
    );
  }
  if (config !== undefined && HIDDEN.test(config)) {
    process.stderr.write(
      `The service cannot read ${config}, since its unit hides /tmp, /home and /root from it: ` +
        "have it elsewhere, as in /etc/fastlane\n",
    );
  }
}

function absolutePath(path: string): string {
  if (!isAbsolute(path)) throw new InvalidArgumentError("It must be an absolute path.");
  return resolvedPath(path);
}

function resolvedPath(path: string): string {
  if (/[\n\r\0]/.test(path)) throw new InvalidArgumentError("It must be in one line.");
  return resolve(path);
}

function nameOf(name: string): string {
  if (NAME.test(name)) return name;
  throw new InvalidArgumentError(
    "Allowed are letters, digits, and . _ - behind the first, 31 characters at most.",
  );
}

function listenOf(address: string): string {
  const port = /^(?:(?:\d+\.){3}\d+:|\[[\da-fA-F:.]+\]:)?(\d{1,5})$/.exec(address)?.[1];
  if (port !== undefined && Number(port) > 0 && Number(port) < 65_536) return address;
  throw new InvalidArgumentError("It must be a port, or ADDRESS:PORT with the address in numbers.");
}
