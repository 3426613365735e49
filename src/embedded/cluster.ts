import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, readdir, readFile, rm, stat } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { extractPostgres } from "#archive";
import type { Account } from "./account.ts";
import { makePrivateFolder, type Place, publish, unfinishedName } from "./place.ts";
import { POSTGRES_MAJOR, POSTGRES_VERSION } from "./version.ts";

/** The administrator, and the database that is made for us, are both called so. */
export const OWN_NAME = "fastlane";

// An environment of ours would change what the programs do: PGPORT, LD_PRELOAD, LC_MESSAGES.
export const PROGRAM_ENVIRONMENT = { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };

/** Unpacks Postgres unless it is there. Returns its folder. */
export async function unpackPostgres(place: Place): Promise<string> {
  const programs = `${place.folder}/${POSTGRES_VERSION}`;
  if ((await stat(programs).catch(() => null)) !== null) return programs;
  const unfinished = unfinishedName(programs);
  await rm(unfinished, { recursive: true, force: true });
  await extractPostgres(unfinished);
  // The umask may have closed them to the account.
  if (place.account !== null) await openToAll(unfinished);
  await syncFileSystem(unfinished);
  await publish(unfinished, programs, place.folder);
  return programs;
}

/**
 * Makes the data folder unless it is there.
 *
 * @throws {Error} If it is of another major version, or initdb fails (with its last words).
 */
export async function initializeData(place: Place, programs: string): Promise<void> {
  if ((await stat(place.data).catch(() => null)) !== null) {
    await requireOurMajor(place.data);
    return;
  }
  const unfinished = unfinishedName(place.data);
  await rm(unfinished, { recursive: true, force: true });
  await makePrivateFolder(unfinished, place.account);
  await runProgram(`${programs}/bin/initdb`, initdbArguments(unfinished), place.account);
  await publish(unfinished, place.data, place.folder);
}

/** How to run a program as the account: `spawn` drops root's other groups along with its user. */
export function identityOf(account: Account | null): { uid?: number; gid?: number } {
  return account === null ? {} : { uid: account.uid, gid: account.gid };
}

function initdbArguments(data: string): string[] {
  return [
    `--pgdata=${data}`,
    `--username=${OWN_NAME}`,
    "--auth=trust",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--no-instructions",
    // One call for the whole file system, where the default syncs 1,000 files one by one.
    ...(process.platform === "linux" ? ["--sync-method=syncfs"] : []),
  ];
}

async function requireOurMajor(data: string): Promise<void> {
  const major = (await readFile(`${data}/PG_VERSION`, "utf8").catch(() => "unknown")).trim();
  if (major === POSTGRES_MAJOR) return;
  throw new Error(
    `Cannot use the data folder "${data}": it is of Postgres ${major}, and this fastlane brings ` +
      `Postgres ${POSTGRES_MAJOR}; start the fastlane that made it, or choose another dataDir`,
  );
}

async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (entry.isSymbolicLink()) continue;
    const path = `${entry.parentPath}/${entry.name}`;
    const runs = entry.isDirectory() || entry.parentPath === `${folder}/bin`;
    await chmod(path, runs ? 0o755 : 0o644);
  }
}

/** Else a power cut could leave empty files under the final name. */
export async function syncFileSystem(path: string): Promise<void> {
  const isLinux = process.platform === "linux";
  await runProgram("sync", isLinux ? ["--file-system", path] : [], null);
}

async function runProgram(program: string, args: string[], account: Account | null): Promise<void> {
  const child = spawn(program, args, {
    ...identityOf(account),
    cwd: "/",
    env: PROGRAM_ENVIRONMENT,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const [words, [code, signal]] = await Promise.all([text(child.stderr), once(child, "exit")]);
  if (code === 0) return;
  const lastWords = words.trim().split("\n").slice(-3).join("; ");
  throw new Error(`Cannot run "${program}": it ended with ${code ?? signal}: ${lastWords}`);
}
