import { constants } from "node:fs";
import { copyFile, open, readFile, stat, truncate } from "node:fs/promises";
import { dirname } from "node:path";

const LIMIT_BYTES = 10 * 1024 * 1024;
const LOOK_EVERY_MS = 60_000;

/** Opens the log for Postgres to append to; whoever calls closes it. */
export async function openLog(path: string) {
  // O_NOFOLLOW: as root we may be in a folder of an ordinary user's.
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
  const log = await open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
  // The user must be able to go on without root.
  const { uid, gid } = await stat(dirname(path));
  if (process.getuid?.() === 0) await log.chown(uid, gid);
  return log;
}

/**
 * Keeps the log and its predecessor, `<path>.1`, at some 10 MiB each, whoever writes to it.
 *
 * @returns Ends the watch.
 */
export function boundLog(path: string): () => void {
  const bound = async () => {
    if ((await stat(path)).size < LIMIT_BYTES) return;
    // Postgres has it open for appending, so a rename would not move it off.
    await copyFile(path, `${path}.1`);
    await truncate(path);
  };
  const look = () => void bound().catch(() => {});
  look();
  const timer = setInterval(look, LOOK_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** The last lines, for a sentence that says why Postgres does not start. */
export async function lastWords(path: string): Promise<string> {
  const log = await readFile(path, "utf8").catch(() => "");
  return log.trim().split("\n").slice(-3).join("; ");
}
