import { createWriteStream } from "node:fs";
import { open, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Writable } from "node:stream";
import type { Config } from "../config/schema.ts";
import { messageOf } from "../core/errors.ts";
import { FORMAT, KEY_NAME, type Manifest, writeBackup } from "../embedded/backup-file.ts";
import { startBaseBackup } from "../embedded/base-backup.ts";
import { restoreData } from "../embedded/restore.ts";
import { runningPostgresUrl } from "../embedded/running.ts";
import { parsePostgresUrl } from "../store/address.ts";
import { openStore } from "../store/connect.ts";
import { MIGRATIONS } from "../store/migrations.ts";
import { installationId } from "../store/nodes.ts";
import { schemaState } from "../store/schema-state.ts";
import type { Log } from "../worker/log.ts";
import { migrateDatabase, provideDatabase } from "./database.ts";
import { fileTarget } from "./file-target.ts";

export interface BackupOptions {
  config: Config;
  version: string;
  log: Log;
}

/** A backup that was made. */
export interface MadeBackup {
  manifest: Manifest;
  bytes: number;
  hasKey: boolean;
}

/**
 * Writes all that the embedded Postgres has into one file, whether a fastlane runs on it or not.
 *
 * @param target A path, under which the file stands when it is whole; or standard output.
 * @throws {Error} With a sentence that says what to do instead, with another Postgres.
 */
export async function backUp(
  { config, version, log }: BackupOptions,
  target: string | Writable,
): Promise<MadeBackup> {
  const { dataDir } = config;
  requireEmbedded(
    config,
    "back up",
    "pg_dump --format=custom --file=fastlane.dump DATABASE_URL makes a backup of it, and pg_restore puts it back",
  );
  await stat(`${dataDir}/postgres/data`).catch((error: NodeJS.ErrnoException) => {
    throw new Error(
      error.code === "ENOENT"
        ? `Cannot back up "${dataDir}": there is no data; is it the --data-dir?`
        : `Cannot back up "${dataDir}": ${messageOf(error)}; run it as the user that fastlane runs as`,
    );
  });
  const cannot = (error: unknown) => cannotWrite(target, error);
  const out = typeof target === "string" ? await fileTarget(target).catch(cannot) : target;
  const stops: (() => Promise<void>)[] = [];
  try {
    const running = await runningPostgresUrl(dataDir);
    const address =
      running === null ? await provideDatabase({ config, log }, stops) : parsePostgresUrl(running);
    const store = openStore({ address, max: 1, name: "fastlane backup" });
    stops.push(() => store.close());
    const [server] = await store.sql<{ version: string }[]>`
      SELECT current_setting('server_version') AS version`;
    const { applied } = await schemaState(store.sql);
    const base = await startBaseBackup(address.host);
    stops.push(base.end);
    const manifest: Manifest = {
      format: FORMAT,
      fastlane: version,
      postgres: server?.version ?? "",
      systemId: base.systemId,
      installation: applied === 0 ? "" : await installationId(store.db),
      migrations: applied,
      createdAt: new Date().toISOString(),
    };
    const key = await readFile(`${await realpath(dataDir)}/${KEY_NAME}`).catch(() => null);
    const write = (to: Writable) => writeBackup(to, manifest, key, base.tar);
    const written = typeof out === "string" ? toFile(out, write) : write(out);
    const bytes = await written.catch(cannot);
    return { manifest, bytes, hasKey: key !== null };
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

/** Puts a backup into an empty data folder, and has Postgres recover it once. */
export async function restore(
  { config, log }: BackupOptions,
  path: string,
): Promise<{ manifest: Manifest }> {
  requireEmbedded(config, "restore", "pg_restore puts back what pg_dump has made of it");
  const manifest = await restoreData(path, config.dataDir, ({ fastlane, migrations }) => {
    if (migrations <= MIGRATIONS.length) return;
    throw new Error(
      `Cannot restore "${path}": its schema has ${migrations} changes, and this fastlane knows ` +
        `${MIGRATIONS.length}; use fastlane ${fastlane}, which made it, or a newer one`,
    );
  });
  const stops: (() => Promise<void>)[] = [];
  try {
    await migrateDatabase(await provideDatabase({ config, log }, stops), log);
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
  return { manifest };
}

function requireEmbedded({ databaseUrl }: Config, verb: string, instead: string): void {
  if (databaseUrl === undefined) return;
  throw new Error(`Cannot ${verb} the Postgres of databaseUrl, only the embedded one: ${instead}`);
}

/** Under its name it is whole, and for its owner alone. */
async function toFile(path: string, write: (out: Writable) => Promise<number>): Promise<number> {
  const partial = `${path}.partial`;
  try {
    await rm(partial, { force: true });
    const bytes = await write(createWriteStream(partial, { flags: "wx", mode: 0o600 }));
    await sync(partial);
    await rename(partial, path);
    await sync(dirname(path));
    return bytes;
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {});
    throw error;
  }
}

function cannotWrite(target: string | Writable, cause: unknown): never {
  const place = typeof target === "string" ? `"${target}"` : "to standard output";
  const isReaderGone = (cause as NodeJS.ErrnoException).code === "EPIPE";
  const why = isReaderGone ? "nobody reads it any more" : messageOf(cause);
  throw new Error(`Cannot write the backup ${place}: ${why}`, { cause });
}

/** A file, or the names in a folder. */
async function sync(path: string): Promise<void> {
  const handle = await open(path, "r");
  await handle.sync().finally(() => handle.close());
}
