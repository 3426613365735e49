import { link, mkdir, open, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../config/schema.ts";
import { messageOf } from "../core/errors.ts";
import {
  areKeys,
  createKeyring,
  KEY_FILE,
  KEYS_WRONG,
  type Keyring,
  newKeyLine,
} from "../core/keyring.ts";
import type { Secrets } from "../payload/sealed.ts";
import type { Store } from "../store/connect.ts";
import { isDatabaseDown } from "../store/faults.ts";
import { allowSealing, claimKeyCheck, keyCheckOf, replaceKeyCheck } from "../store/secret-key.ts";
import type { Log } from "../worker/log.ts";

const ASK_AGAIN_AFTER_MS = 10_000;
const OTHERS = 0o007;

export interface SecretsOptions {
  config: Pick<Config, "dataDir" | "secretKey">;
  log: Pick<Log, "info" | "warn" | "error">;
}

/** What rows are sealed by in this process. */
export interface AppSecrets extends Secrets {
  /** Resolves when rows may be sealed: at once, unless a node of a version before is alive. */
  readonly sealing: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Finds the key, or makes one for a new installation.
 *
 * @throws {Error} If there is none, or it is not that of the installation.
 */
export async function openSecrets(options: SecretsOptions, { db }: Store): Promise<AppSecrets> {
  const { log } = options;
  const keyring = await keyringOf(options, db);
  const sealing = Promise.withResolvers<void>();
  let isSealing = await allowSealing(db);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isStopped = false;
  const settle = () => {
    if (isSealing) return sealing.resolve();
    if (isStopped) return;
    timer = setTimeout(() => {
      asking = ask();
    }, ASK_AGAIN_AFTER_MS);
  };
  const ask = async () => {
    try {
      isSealing = await allowSealing(db);
    } catch (error) {
      if (!isDatabaseDown(error)) log.error({ error: messageOf(error) }, "could not begin to seal");
    }
    settle();
  };
  let asking: Promise<void> | undefined;
  if (!isSealing) {
    log.info({}, "a node of a version before is alive: until it ends, secrets are stored in clear");
  }
  settle();
  return {
    keyring,
    sealer: () => (isSealing ? keyring : null),
    sealing: sealing.promise,
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await asking;
    },
  };
}

async function keyringOf({ config, log }: SecretsOptions, db: Store["db"]): Promise<Keyring> {
  const before = await keyCheckOf(db);
  const path = join(config.dataDir, KEY_FILE);
  const { text, isNew } =
    config.secretKey === undefined
      ? await keyFile(path, { mayMake: before === null })
      : { text: config.secretKey, isNew: false };
  if (config.secretKey === undefined && ((await stat(path)).mode & OTHERS) !== 0) {
    log.warn({}, `every user of this machine may read the key "${path}"; chmod 600 would end that`);
  }
  const keyring = createKeyring(text);
  const check = before ?? (await claimKeyCheck(db, keyring.check));
  if (!keyring.checks.includes(check)) {
    // Nothing was sealed by it: another node was first meanwhile.
    if (isNew) await rm(path, { force: true });
    const where = config.secretKey === undefined ? `in "${path}"` : "of secretKey or secretKeyFile";
    throw new Error(`Cannot start: the key ${where} is not that of this installation; ${REMEDY}`);
  }
  if (isNew) log.info({ path }, "made the key that secrets in the database are sealed by");
  if (check !== keyring.check) await replaceKeyCheck(db, keyring.check);
  return keyring;
}

const REMEDY = "copy the key file of its other nodes to this one, or name it by secretKeyFile";

async function keyFile(
  path: string,
  { mayMake }: { mayMake: boolean },
): Promise<{ text: string; isNew: boolean }> {
  const there = await readKey(path);
  if (there !== null) return { text: there, isNew: false };
  if (!mayMake) {
    throw new Error(
      `Cannot start: this installation has a key, and there is no "${path}"; ${REMEDY}`,
    );
  }
  const isNew = await makeKey(path).catch((error: unknown) => {
    throw new Error(
      `Cannot start: cannot make the key "${path}": ${messageOf(error)}; choose another dataDir, or set secretKeyFile`,
    );
  });
  return { text: (await readKey(path)) ?? "", isNew };
}

async function readKey(path: string): Promise<string | null> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw new Error(`Cannot start: cannot read the key "${path}": ${error.code}`);
  });
  if (text === null || areKeys(text)) return text;
  throw new Error(`Cannot start: the key "${path}" ${KEYS_WRONG}`);
}

/** @returns Whether it is ours: another process may have been first. */
async function makeKey(path: string): Promise<boolean> {
  const folder = join(path, "..");
  await mkdir(folder, { recursive: true });
  const unfinished = `${path}.unfinished.${process.pid}`;
  const file = await open(unfinished, "w", 0o600);
  try {
    await file.writeFile(newKeyLine());
    await file.sync();
    // Unlike a rename it leaves one that is there as it is.
    await link(unfinished, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    await file.close();
    await rm(unfinished, { force: true });
  }
  const handle = await open(folder, "r");
  await handle.sync().finally(() => handle.close());
  return true;
}
