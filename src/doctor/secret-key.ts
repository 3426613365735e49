import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../config/schema.ts";
import { areKeys, createKeyring, KEY_FILE, KEYS_WRONG } from "../core/keyring.ts";
import type { Store } from "../store/connect.ts";
import { keyCheckOf } from "../store/secret-key.ts";
import type { Check, Tell } from "./finding.ts";

const WITHIN_MS = 12_000;
const OTHERS = 0o007;
const COPY = "copy the key file of its other nodes here, or name it by secretKeyFile";

export interface SecretKeyDeps {
  config: Pick<Config, "dataDir" | "secretKey">;
  /** `null` where the database cannot be asked. */
  database: { store: Pick<Store, "db"> } | null;
}

/** Whether the key that secrets in the database are sealed by is there, right, and nobody else's. */
export function secretKeyCheck({ config, database }: SecretKeyDeps): Check {
  return {
    subject: "secret key",
    withinMs: WITHIN_MS,
    async run(tell) {
      // The tables are not there before the first start; all else is told under Postgres.
      const check = database && (await keyCheckOf(database.store.db).catch(() => null));
      const path = join(config.dataDir, KEY_FILE);
      const text = config.secretKey ?? (await keyIn(tell, path, check !== null));
      if (text === null) return;
      if (check !== null && !createKeyring(text).checks.includes(check)) {
        const where = config.secretKey === undefined ? `in "${path}"` : "of the configuration";
        tell.problem(`the key ${where} is not that of this installation: no node starts`, COPY);
        return;
      }
      tell.ok(
        check === null ? "there is one, and none in use yet" : "it is that of this installation",
      );
    },
  };
}

/** @returns `null` when there is no usable one, which is then told. */
async function keyIn(tell: Tell, path: string, isNeeded: boolean): Promise<string | null> {
  const found = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => error);
  if (found instanceof Error) {
    if (found.code !== "ENOENT") {
      tell.problem(
        `"${path}" cannot be read: ${found.code}`,
        "ask as the user that fastlane runs as",
      );
    } else if (isNeeded) {
      tell.problem(`this installation has a key, and there is no "${path}" here`, COPY);
    } else {
      tell.ok("there is none yet: the first start makes it");
    }
    return null;
  }
  const { mode } = await stat(path);
  if ((mode & OTHERS) !== 0) {
    tell.problem(`every user of this machine may read "${path}"`, `close it by chmod 600 ${path}`);
  }
  if (areKeys(found)) return found;
  tell.problem(`"${path}" ${KEYS_WRONG}`, "put the right key back from a backup or another node");
  return null;
}
