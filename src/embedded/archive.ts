import archivePath from "../../build/postgres.tar.zst" with { type: "file" };

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
