import { createWriteStream } from "node:fs";
import { chown, mkdir, readFile, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { messageOf } from "../core/errors.ts";
import {
  type BackupContents,
  KEY_NAME,
  type Manifest,
  readBackup,
  verifyBackup,
} from "./backup-file.ts";
import { syncFileSystem } from "./cluster.ts";
import { makePrivateFolder, type Place, preparePlace, publish, unfinishedName } from "./place.ts";
import { POSTGRES_MAJOR } from "./version.ts";

/**
 * Puts the data of a backup into a data folder that has none. It stands there as a whole or not at
 * all; Postgres recovers it at its next start.
 *
 * @param check Throws when its schema cannot be used.
 * @throws {Error} When there is data already, the folder is another user's, or the backup cannot be
 *   used: nothing has changed then.
 */
export async function restoreData(
  path: string,
  dataDir: string,
  check: (manifest: Manifest) => void,
): Promise<Manifest> {
  await requireNoData(dataDir);
  await requireOurFolder(dataDir);
  await verifyBackup(path);
  const { manifest, entries } = await readBackup(path);
  const major = manifest.postgres.split(".")[0] ?? "";
  if (major !== POSTGRES_MAJOR) {
    throw new Error(
      `Cannot restore "${path}": it is of Postgres ${major}, and this fastlane brings Postgres ` +
        `${POSTGRES_MAJOR}; use fastlane ${manifest.fastlane}, which made it`,
    );
  }
  check(manifest);
  const folders = await foldersToMake(dataDir);
  try {
    await writeData(entries, dataDir);
  } catch (error) {
    // What is in use by now, by another fastlane, is not empty.
    for (const folder of folders) await rmdir(folder).catch(() => {});
    if (!(error instanceof Error && "errno" in error)) throw error;
    throw new Error(`Cannot restore to "${dataDir}": ${messageOf(error)}`, { cause: error });
  }
  return manifest;
}

/** Which folders a restore would have to make, the innermost first. */
async function foldersToMake(dataDir: string): Promise<string[]> {
  const folder = resolve(dataDir, "postgres");
  const missing: string[] = [];
  for (let path = folder; (await stat(path).catch(() => null)) === null; path = dirname(path)) {
    missing.push(path);
  }
  return missing.length === 0 ? [] : [`${folder}/run`, `${folder}/log`, ...missing];
}

async function writeData(entries: BackupContents["entries"], dataDir: string): Promise<void> {
  const place = await preparePlace(dataDir);
  const unfinished = unfinishedName(place.data);
  await rm(unfinished, { recursive: true, force: true });
  let key: Buffer | null = null;
  let isKeyOurs = false;
  try {
    await makePrivateFolder(unfinished, place.account);
    for await (const { name, isFolder, content } of entries) {
      if (name === KEY_NAME) {
        key = await buffer(content);
        continue;
      }
      const target = `${unfinished}/${name}`;
      if (isFolder) await mkdir(target, { recursive: true, mode: 0o700 });
      else await pipeline(content, createWriteStream(target, { mode: 0o600 }));
      if (isFolder) content.resume();
      await giveTo(place, target);
    }
    await syncFileSystem(unfinished);
    if (key !== null) isKeyOurs = await writeKey(dataDir, key);
    if (!(await publish(unfinished, place.data, place.folder))) await requireNoData(dataDir);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    const isData = (await stat(place.data).catch(() => null)) !== null;
    if (isKeyOurs && !isData) await rm(`${dataDir}/${KEY_NAME}`, { force: true });
    throw error;
  }
}

async function requireNoData(dataDir: string): Promise<void> {
  const data = `${dataDir}/postgres/data`;
  if ((await stat(data).catch(() => null)) === null) return;
  throw new Error(
    `Cannot restore into "${dataDir}": it has data already, which a restore never replaces; ` +
      `stop the fastlane that runs there and move ${data} away, or choose another --data-dir`,
  );
}

/** What root makes in the folder of a service's user that user could not run on. */
async function requireOurFolder(dataDir: string): Promise<void> {
  const uid = (await stat(dataDir).catch(() => null))?.uid ?? 0;
  if (process.getuid?.() !== 0 || uid === 0) return;
  throw new Error(
    `Cannot restore into "${dataDir}" as root: it belongs to user ${uid}, which could not use it then; ` +
      "run it as that user, or give the folder to root",
  );
}

async function giveTo({ account }: Place, path: string): Promise<void> {
  if (account !== null) await chown(path, account.uid, account.gid);
}

/**
 * @returns Whether it was not there before.
 * @throws {Error} If another key is there: what it has closed could not be opened any more.
 */
async function writeKey(dataDir: string, key: Buffer): Promise<boolean> {
  const path = `${dataDir}/${KEY_NAME}`;
  const there = await readFile(path).catch(() => null);
  if (there?.equals(key) === true) return false;
  if (there !== null) {
    throw new Error(`Cannot restore: "${path}" is another key than the backup's; move it away`);
  }
  try {
    await writeFile(path, key, { mode: 0o600, flag: "wx", flush: true });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") await rm(path, { force: true });
    throw error;
  }
}
