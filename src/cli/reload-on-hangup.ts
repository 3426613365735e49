import type { App } from "../app.ts";
import { ConfigError } from "../config/fault.ts";
import type { Config } from "../config/schema.ts";
import { messageOf } from "../core/errors.ts";

export interface ReloadDeps {
  app: Promise<App>;
  /** @throws {Error} Naming all that is wrong. */
  read(): Config;
  /** Whether a hangup is the terminal's, which is the end of whoever was started on it. */
  isTerminalGone(): boolean;
  onTerminalGone(): void;
  /** Told when a reload begins, and when it is over. */
  tell(...lines: string[]): Promise<void>;
  log: {
    info(fields: object, event: string): void;
    warn(fields: object, event: string): void;
    error(fields: object, event: string): void;
  };
}

/**
 * Reloads at each SIGHUP, one reload after the other, the first when the service has started. The
 * log says what has changed, or why nothing has. A terminal that is closed sends the same signal.
 *
 * @returns What ends that: signals are ignored from then on. It resolves when no reload is under way.
 */
export function reloadOnHangup(deps: ReloadDeps): () => Promise<void> {
  const { app, read, log, tell } = deps;
  let isOver = false;
  let last: Promise<void> = Promise.resolve();

  async function reload(): Promise<void> {
    const { reload } = await app;
    if (isOver) return;
    await tell("RELOADING=1");
    try {
      const { sentences, fields, needRestart, notices } = await reload(read());
      const what =
        sentences.length === 0
          ? "nothing that a reload takes over has changed"
          : sentences.join("; ");
      log.info(fields, `reloaded: ${what}`);
      if (needRestart.length > 0) {
        log.warn({ keys: needRestart }, `needs a restart: ${needRestart.join(", ")}`);
      }
      for (const notice of notices) log.warn({}, notice);
    } catch (error) {
      log.error({ error: faultsOf(error) }, "could not reload, and goes on as it was");
    }
    // Behind the word that it stops, this one would take that back.
    if (!isOver) await tell("READY=1");
  }

  process.on("SIGHUP", () => {
    if (deps.isTerminalGone()) deps.onTerminalGone();
    else last = last.then(reload);
  });
  return async () => {
    isOver = true;
    await last;
  };
}

/** In one line, as all that the log tells of a reload is. */
const faultsOf = (error: unknown) =>
  error instanceof ConfigError ? error.faults.join("; ") : messageOf(error);
