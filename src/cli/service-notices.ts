import { spawn } from "node:child_process";
import { messageOf } from "../core/errors.ts";

/** A notice is a few bytes; whoever cannot take it by then will not. */
const LIMIT_MS = 5_000;

export interface ServiceNotices {
  /**
   * Tells the service manager, each notice behind the one before it. Resolves when this one was
   * taken, or could not be told: the log has it then, and the service goes on.
   *
   * @param lines Assignments as sd_notify(3) has them, such as `READY=1`.
   */
  tell(...lines: string[]): Promise<void>;
}

export interface NoticeDeps {
  /** `null`: nobody wants to be told. */
  manager: { readonly socket: string } | null;
  /** The program that tells it, with what it is found by. */
  program?: string;
  path: string;
  log: { warn(fields: object, event: string): void };
}

/**
 * The notices go through `systemd-notify`, which is there wherever systemd is: neither Bun nor Node
 * can send a datagram to a socket of the file system. It waits until systemd has read what it sent,
 * so a notice is never of a process that is gone already.
 */
export function serviceNotices({
  manager,
  program = "systemd-notify",
  path,
  log,
}: NoticeDeps): ServiceNotices {
  if (manager === null) return { tell: async () => {} };
  const env = { NOTIFY_SOCKET: manager.socket, PATH: path };
  let last: Promise<void> = Promise.resolve();
  let isSilent = false;

  async function send(lines: readonly string[]): Promise<void> {
    const failed = await run(program, lines, env);
    // The watchdog tells again and again: once is enough, until it works again.
    if (failed !== null && !isSilent) {
      log.warn({ error: failed }, "could not tell the service manager how the service is");
    }
    isSilent = failed !== null;
  }

  return {
    tell(...lines) {
      last = last.then(() => send(lines));
      return last;
    },
  };
}

/** @returns What went wrong, or `null`. */
function run(
  program: string,
  lines: readonly string[],
  env: Record<string, string>,
): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn(program, lines, {
      env,
      stdio: ["ignore", "ignore", "pipe"],
      timeout: LIMIT_MS,
      killSignal: "SIGKILL",
    });
    let said = "";
    child.stderr.on("data", (bytes) => {
      said += String(bytes);
    });
    child.on("error", (error) => resolve(messageOf(error)));
    child.on("close", (code, signal) => {
      resolve(code === 0 ? null : `${program} ended with ${code ?? signal}: ${said.trim()}`);
    });
  });
}
