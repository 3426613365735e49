import type { Command } from "commander";
import { inTime } from "../app/in-time.ts";
import { type App, startApp } from "../app.ts";
import { configReader } from "../config/reread.ts";
import { serviceManagerOf } from "../config/service-manager.ts";
import { createLog } from "./log.ts";
import { sourcesOf, withConfigOptions, withListenOptions } from "./options.ts";
import { watchOwnTerminal } from "./own-terminal.ts";
import type { Surroundings } from "./program.ts";
import { reloadOnHangup } from "./reload-on-hangup.ts";
import { serviceNotices } from "./service-notices.ts";
import { feedWatchdog } from "./watchdog.ts";

const ROLES = {
  up: {
    roles: { api: true, worker: true },
    description:
      "run everything in one process, with an embedded Postgres unless one is configured",
  },
  api: { roles: { api: true, worker: false }, description: "run the HTTP API alone" },
  worker: { roles: { api: false, worker: true }, description: "run jobs, without the HTTP API" },
} as const;

/** From the word to stop to the end, also where something hangs that is waited for. */
const END_WITHIN_MS = 9_700;
/** What a reload that is under way has of that; the parts have the rest. */
const RELOAD_WITHIN_MS = 300;

export function addServeCommands(program: Command, surroundings: Surroundings): void {
  for (const [name, { roles, description }] of Object.entries(ROLES)) {
    const command = withConfigOptions(program.command(name).description(description));
    if (roles.api) withListenOptions(command);
    command.action(() => serve(command, surroundings, roles));
  }
}

async function serve(
  command: Command,
  surroundings: Surroundings,
  roles: { api: boolean; worker: boolean },
): Promise<void> {
  const isTerminalGone = watchOwnTerminal();
  // Nobody may be there to read any more, which is no reason to end.
  process.stdout.on("error", () => {});
  const read = configReader(sourcesOf(command, surroundings));
  const config = read();
  const log = createLog(config.logLevel);
  for (const notice of config.notices) log.warn(notice);
  const manager = serviceManagerOf(surroundings.environment, process.pid);
  const { tell } = serviceNotices({ manager, path: surroundings.environment["PATH"] ?? "", log });
  void tell("STATUS=starts");
  const stopAsked = Promise.withResolvers<{ signal: string; askedAt: number }>();
  const askToStop = (signal: string) => {
    setTimeout(giveUp, END_WITHIN_MS, log);
    stopAsked.resolve({ signal, askedAt: performance.now() });
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => {
      askToStop(signal);
      // Whoever asks twice does not want to wait.
      process.once(signal, () => process.exit(1));
    });
  }
  const started = Promise.withResolvers<App>();
  const endReloads = reloadOnHangup({
    app: started.promise,
    read,
    log,
    isTerminalGone,
    onTerminalGone: () => askToStop("SIGHUP"),
    tell,
  });
  const app = await startApp({ config, version: surroundings.version, roles, log });
  started.resolve(app);
  if (app.metricsUrl !== null) log.info({ url: app.metricsUrl }, "metrics can be scraped");
  const { version } = surroundings;
  if (app.url === null) log.info({ version }, "runs jobs");
  else log.info({ version, url: app.url }, "listens");
  const where = app.url === null ? "runs jobs" : `listens on ${app.url}`;
  // A service's output goes where its log goes, which is JSON alone.
  if (manager === null) process.stdout.write(`fastlane ${version} ${where}; Ctrl-C stops it\n`);
  void tell("READY=1", `STATUS=${where}`);
  const watchdog = feedWatchdog({
    afterMs: manager?.watchdogMs ?? null,
    fault: app.fault,
    tell,
    status: where,
    log,
  });
  const { signal, askedAt } = await stopAsked.promise;
  log.info({ signal }, "stopping; containers run on");
  watchdog[Symbol.dispose]();
  const toldOfStop = tell("STOPPING=1", "STATUS=stops; containers run on");
  // One that hangs, as with Postgres away, must not cost the hosts that are to be given back.
  await inTime(log, "reload", RELOAD_WITHIN_MS, endReloads);
  // A person at the terminal does not want to wait.
  await app.stop(signal === "SIGTERM" && roles.api ? config.stopDelaySeconds * 1_000 : 0);
  await toldOfStop;
  log.info({ durationMs: Math.round(performance.now() - askedAt) }, "stopped");
}

/** What hangs ends with the process, and containers are adopted by the next node all the same. */
function giveUp(log: ReturnType<typeof createLog>): void {
  log.warn("did not end in time, and is cut off");
  process.exit(0);
}
