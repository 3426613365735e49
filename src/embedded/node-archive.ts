import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { buffer } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { extract } from "tar-stream";
import { decompress } from "#zstd";
import { messageOf } from "../core/errors.ts";

const NAME = `fastlane-postgres-${process.platform}-${process.arch}.tar.zst`;

/**
 * Writes bin, lib and share of the Postgres that is beside the program into a folder.
 *
 * @throws {Error} If there is none, or it is damaged, or the folder cannot be written.
 */
export async function extractPostgres(folder: string): Promise<void> {
  const archive = fileURLToPath(new URL(NAME, import.meta.url));
  const compressed = await readFile(archive).catch((error: unknown) => {
    throw new Error(
      `Cannot start the embedded Postgres: ${messageOf(error)}; put ${NAME} beside the program, ` +
        "or name a Postgres by databaseUrl",
    );
  });
  const files = extract();
  files.end(decompress(compressed));
  for await (const file of files) {
    const { name, type, mode, linkname } = file.header;
    const path = join(folder, name);
    if (relative(folder, path).startsWith("..")) {
      throw new Error(`Cannot unpack ${archive}: it has a file outside of it, "${name}"`);
    }
    await mkdir(dirname(path), { recursive: true });
    if (type === "symlink") await symlink(linkname ?? "", path);
    else await writeFile(path, await buffer(file), { mode: mode ?? 0o644 });
    file.resume();
  }
}
