import { readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** Whom Postgres runs as. */
export interface Account {
  name: string;
  uid: number;
  gid: number;
}

const PREFERRED = ["fastlane", "postgres", "nobody"];

/**
 * Postgres refuses to run as root: then it gets the owner of the data that is there, or else an
 * unprivileged user of the machine.
 *
 * @param dataFolder Postgres' own, which may not exist yet.
 * @returns `null` when it can run as ourselves.
 */
export async function accountFor(dataFolder: string): Promise<Account | null> {
  if (process.getuid?.() !== 0) return null;
  const users = await readUsers();
  const owner = await stat(dataFolder).catch(() => null);
  if (owner !== null && owner.uid !== 0) {
    const name = users.find((user) => user.uid === owner.uid)?.name ?? `${owner.uid}`;
    return { name, uid: owner.uid, gid: owner.gid };
  }
  for (const name of PREFERRED) {
    const user = users.find((candidate) => candidate.name === name && candidate.uid !== 0);
    if (user !== undefined) return user;
  }
  throw new Error(
    `Cannot run Postgres as root: /etc/passwd has none of the users ${PREFERRED.join(", ")}; ` +
      "add one (useradd --system fastlane), or set databaseUrl",
  );
}

/** @throws {Error} If a folder on the way is closed to the account. */
export async function requireWayTo(folder: string, account: Account): Promise<void> {
  for (let step = folder; ; step = dirname(step)) {
    const { mode, uid, gid } = await stat(step);
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) {
      throw new Error(
        `Cannot run Postgres as user "${account.name}" in "${folder}": "${step}" is closed to it; ` +
          `open it (chmod o+x ${step}), or choose another dataDir, such as /var/lib/fastlane`,
      );
    }
    if (step === dirname(step)) return;
  }
}

async function readUsers(): Promise<Account[]> {
  const lines = (await readFile("/etc/passwd", "utf8")).split("\n");
  return lines.map((line) => {
    const [name = "", , uid, gid] = line.split(":");
    return { name, uid: Number(uid), gid: Number(gid) };
  });
}
