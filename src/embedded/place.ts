import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { chmod, chown, lstat, mkdir, open, readdir, realpath, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { type Account, accountFor, requireWayTo } from "./account.ts";

/** Where everything of the embedded Postgres is, and whom it belongs to. */
export interface Place {
  /** All the rest is below it, but for a socket whose path would be too long there. */
  folder: string;
  data: string;
  sockets: string;
  logFile: string;
  /** `null`: ourselves. */
  account: Account | null;
}

// Linux takes 107 bytes; some are left for the name of the lock file beside the socket.
const SOCKET_PATH_LIMIT_BYTES = 100;
const SOCKET_NAME = ".s.PGSQL.5432";

/**
 * Makes the folders. With an account of its own Postgres gets the data and the socket alone: the
 * programs that root starts, and the log that root writes, must not be in its hands.
 *
 * @throws {Error} If a folder belongs to somebody else or is closed to the account.
 */
export async function preparePlace(dataDir: string): Promise<Place> {
  await mkdir(dataDir, { recursive: true });
  const folder = `${await realpath(dataDir)}/postgres`;
  const data = `${folder}/data`;
  const account = await accountFor(data);
  await makeFolder(folder, account === null ? 0o700 : 0o711, null);
  if (account !== null) await requireWayTo(folder, account);
  await makeFolder(`${folder}/log`, 0o700, null);
  const sockets = await makeSocketFolder(folder, account);
  return { folder, data, sockets, logFile: `${folder}/log/postgres.log`, account };
}

/** Makes a folder for the account alone, or takes one that is just that. */
export async function makePrivateFolder(path: string, account: Account | null): Promise<void> {
  await makeFolder(path, 0o700, account);
}

/**
 * Gives a finished folder its real name, so that whoever is killed before leaves nothing under it.
 *
 * @returns Whether it was ours that took the name; another process may have been first.
 */
export async function publish(unfinished: string, path: string, parent: string): Promise<boolean> {
  const taken = await rename(unfinished, path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOTEMPTY" || error.code === "EEXIST") return false;
      throw error;
    },
  );
  if (!taken) await rm(unfinished, { recursive: true, force: true });
  const handle = await open(parent, constants.O_RDONLY | constants.O_DIRECTORY);
  await handle.sync().finally(() => handle.close());
  return taken;
}

/** A name for work that is not finished; `sweepUnfinished` knows it. */
export function unfinishedName(path: string): string {
  return `${path}.unfinished.${process.pid}`;
}

/** Takes away what a killed process had begun. */
export async function sweepUnfinished(place: Place): Promise<void> {
  for (const name of await readdir(place.folder)) {
    const pid = /\.unfinished\.(\d+)$/.exec(name)?.[1];
    if (pid === undefined) continue;
    const works = Number(pid) !== process.pid && (await lstat(`/proc/${pid}`).catch(() => null));
    if (!works) await rm(`${place.folder}/${name}`, { recursive: true, force: true });
  }
}

async function makeSocketFolder(folder: string, account: Account | null): Promise<string> {
  let path = `${folder}/run`;
  if (Buffer.byteLength(`${path}/${SOCKET_NAME}`) > SOCKET_PATH_LIMIT_BYTES) {
    const hash = createHash("sha256").update(folder).digest("hex").slice(0, 16);
    path = `${tmpdir()}/fastlane-${hash}`;
  }
  await makePrivateFolder(path, account);
  return path;
}

async function makeFolder(path: string, mode: number, account: Account | null): Promise<void> {
  const us = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const { uid, gid } = account ?? us;
  await mkdir(path, { mode }).then(
    () => (account === null ? chmod(path, mode) : chown(path, uid, gid)),
    (error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    },
  );
  const made = await lstat(path);
  // Root may take over what an ordinary user began, in the user's own folders.
  if (!made.isDirectory() || (made.uid !== uid && us.uid !== 0)) {
    throw new Error(
      `Cannot use "${path}": it belongs to user ${made.uid} and is not ours; ` +
        "start fastlane as that user, or choose another dataDir",
    );
  }
  if (account !== null && made.uid !== uid) {
    throw new Error(
      `Cannot use "${path}": it belongs to user ${made.uid}, but Postgres runs as "${account.name}"`,
    );
  }
  if ((made.mode & 0o777 & ~mode) !== 0) await chmod(path, mode);
}
