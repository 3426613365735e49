// The archive with the Postgres that a binary brings.
import { lstat, mkdir, readdir, readFile, rename } from "node:fs/promises";
import { basename, dirname, relative } from "node:path";
import { buffer } from "node:stream/consumers";
import { zstdCompress } from "bun";
import { type Pack, pack } from "tar-stream";
import { ROOT } from "./bundle.ts";
import { packageFolder } from "./packages.ts";
import { type Platform, platformNamed } from "./platforms.ts";
import { thinned } from "./universal.ts";

// Level 19 takes 20 s instead of 1 s, for a binary of 110 MB that is 2 MB smaller.
const COMPRESSION_LEVEL = 9;

// The same bytes whenever it is made.
const NO_TIME = new Date(0);

// What only compiling against Postgres needs, embedded SQL in C, and languages whose interpreters
// are not in the package.
const LEFT_OUT = [
  /\.a$/,
  /^lib\/pkgconfig\//,
  /^lib\/postgresql\/pgxs\//,
  /^lib\/lib(ecpg|pgtypes)/,
  /pl(perl|python3?u?|tcl)u?\b/,
  /_pl(perl|python3?)u?/,
  /^bin\/pg_ctl$/,
];

/** Makes it unless it is there already. Returns its path. */
export async function postgresArchive(platform: Platform): Promise<string> {
  const folder = await packageFolder(platform.postgres, "native");
  const archive = archivePath(platform);
  if (await isUpToDate(archive, folder)) return archive;
  const tar = await makeTar(`${folder}/native`, platform.cpu);
  await mkdir(dirname(archive), { recursive: true });
  await Bun.write(`${archive}.part`, await zstdCompress(tar, { level: COMPRESSION_LEVEL }));
  await rename(`${archive}.part`, archive);
  return archive;
}

/** The machine's own is where the sources look for it. */
function archivePath({ postgres }: Platform): string {
  if (postgres === platformNamed("linux-x64").postgres) return `${ROOT}/build/postgres.tar.zst`;
  return `${ROOT}/build/${basename(postgres)}/postgres.tar.zst`;
}

async function isUpToDate(archive: string, folder: string): Promise<boolean> {
  const made = await lstat(archive).catch(() => null);
  if (made === null) return false;
  const sources = [`${folder}/package.json`, import.meta.path];
  const changes = await Promise.all(sources.map(async (path) => (await lstat(path)).ctimeMs));
  return changes.every((changedMs) => changedMs < made.mtimeMs);
}

async function makeTar(native: string, cpu: Platform["cpu"]): Promise<Buffer> {
  const archive = pack();
  const read = buffer(archive);
  for (const name of await neededFiles(native)) {
    const mode = name.startsWith("bin/") ? 0o755 : 0o644;
    const content = thinned(await readFile(`${native}/${name}`), cpu);
    archive.entry({ name, mode, mtime: NO_TIME }, content);
  }
  await addLinks(archive, native);
  archive.finalize();
  return await read;
}

/** Below the package's native/, sorted. */
export async function neededFiles(native: string): Promise<string[]> {
  const entries = await readdir(native, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(native, `${entry.parentPath}/${entry.name}`))
    .filter((name) => name.includes("/") && isNeeded(name))
    .sort();
}

/** The package makes its links in an install script, which npm may have been told not to run. */
async function addLinks(archive: Pack, native: string): Promise<void> {
  const links: { source: string; target: string }[] = JSON.parse(
    await readFile(`${native}/pg-symlinks.json`, "utf8"),
  );
  for (const { source, target } of links) {
    const name = relative("native", target);
    if (dirname(source) !== dirname(target)) {
      throw new Error(`Cannot link "${target}": "${source}" is in another folder`);
    }
    if (!isNeeded(name)) continue;
    archive.entry({ name, type: "symlink", linkname: basename(source), mtime: NO_TIME });
  }
}

function isNeeded(name: string): boolean {
  return !LEFT_OUT.some((pattern) => pattern.test(name));
}
