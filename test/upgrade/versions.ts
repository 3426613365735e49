import { execFileSync } from "node:child_process";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = new URL("../../", import.meta.url).pathname;
const MOST_ARCHIVE_BYTES = 64 * 1024 * 1024;
// Change 17 partitioned the logs, which no node from before it could write to: there was no release.
const FIRST = 18;

export interface Version {
  /** The change of the schema that it does not know yet. */
  lacks: string;
  commit: string;
}

const git = (...args: string[]) => execFileSync("git", args, { cwd: ROOT, encoding: "utf8" });

/** Whether the sources came with their history: an archive and a shallow clone have none. */
export function hasHistory(): boolean {
  try {
    return git("rev-parse", "--is-shallow-repository").trim() === "false";
  } catch {
    return false;
  }
}

/** The commits before each change of the schema, newest first; one that made several counts once. */
export function versionsBeforeChanges(): Version[] {
  const commits = new Map<string, Version>();
  const log = git("log", "--diff-filter=A", "--format=commit %H", "--name-only", "--", "drizzle");
  let commit = "";
  for (const line of log.split("\n")) {
    if (line.startsWith("commit ")) commit = line.slice("commit ".length);
    const [, name = "", number = ""] = /^drizzle\/((\d{4})_\w+)\.sql$/.exec(line) ?? [];
    if (Number(number) >= FIRST) commits.set(commit, { lacks: name, commit: `${commit}^` });
  }
  return [...commits.values()];
}

/** The sources of a commit, to be run by Bun with the packages of today. */
export async function checkOut(
  commit: string,
): Promise<AsyncDisposable & { program: readonly string[] }> {
  const folder = await mkdtemp(join(tmpdir(), "fastlane-version-"));
  const archive = execFileSync("git", ["archive", commit], {
    cwd: ROOT,
    maxBuffer: MOST_ARCHIVE_BYTES,
  });
  execFileSync("tar", ["-x", "-C", folder], { input: archive });
  for (const name of ["node_modules", "build"]) await symlink(join(ROOT, name), join(folder, name));
  return {
    program: [process.execPath, join(folder, "src/main.ts")],
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
