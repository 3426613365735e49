import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { type Readable, Transform, type Writable } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import * as zlib from "node:zlib";
import { extract, pack } from "tar-stream";
import * as v from "valibot";

/*
 * The file of a backup: a tar, compressed by zstd, of `fastlane-backup.json`, the key of secrets where
 * there is one, and the data folder. Behind it is a frame that zstd passes over, with the SHA-256 of
 * all before. So `zstd -d < FILE | tar t` shows what is in it.
 */

export const FORMAT = 1;
const MANIFEST_NAME = "fastlane-backup.json";
export const KEY_NAME = "secret.key";
const TRAILER_MAGIC = 0x184d2a5f;
const SHA_BYTES = 32;
const TRAILER_BYTES = 8 + SHA_BYTES;

/** What a backup says of itself. */
const Manifest = v.object({
  format: v.literal(FORMAT),
  /** Version of fastlane. */
  fastlane: v.string(),
  /** Version of the server. */
  postgres: v.string(),
  systemId: v.string(),
  installation: v.string(),
  /** How many changes of the schema it has. */
  migrations: v.number(),
  createdAt: v.string(),
});
export type Manifest = v.InferOutput<typeof Manifest>;

/** @param key The secrets' key; `null` where there is none. @returns How large the file is. */
export async function writeBackup(
  out: Writable,
  manifest: Manifest,
  key: Buffer | null,
  tar: Readable,
): Promise<number> {
  const hash = createHash("sha256");
  let bytes = 0;
  const hashed = new Transform({
    transform(chunk: Buffer, _, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
    flush(done) {
      const trailer = Buffer.alloc(8);
      trailer.writeUInt32LE(TRAILER_MAGIC, 0);
      trailer.writeUInt32LE(SHA_BYTES, 4);
      done(null, Buffer.concat([trailer, hash.digest()]));
    },
  });
  requireZstd();
  const compress = zlib.createZstdCompress({
    params: { [zlib.constants.ZSTD_c_checksumFlag]: 1 },
  });
  const first = await entriesOf(manifest, key);
  const whole = async function* () {
    yield first;
    yield* tar;
  };
  await pipeline(whole, compress, hashed, out);
  return bytes + TRAILER_BYTES;
}

/** @throws {Error} On a Node that cannot compress by zstd. */
function requireZstd(): void {
  if ("createZstdCompress" in zlib) return;
  throw new Error(
    `Cannot write or read a backup on Node ${process.versions.node}: it needs 22.15 or later, or the binary`,
  );
}

/** The entries that stand before those of the data folder, without the end of a tar. */
async function entriesOf(manifest: Manifest, key: Buffer | null): Promise<Buffer> {
  const entries = pack();
  const mode = 0o600;
  entries.entry({ name: MANIFEST_NAME, mode }, `${JSON.stringify(manifest, null, 2)}\n`);
  if (key !== null) entries.entry({ name: KEY_NAME, mode }, key);
  entries.finalize();
  const bytes = await buffer(entries);
  return bytes.subarray(0, bytes.length - END_OF_TAR_BYTES);
}
const END_OF_TAR_BYTES = 1_024;

/**
 * Reads a backup through once.
 *
 * @throws {Error} When it is none, or not as it was written.
 */
export async function verifyBackup(path: string): Promise<void> {
  const { size, sha } = await trailerOf(path);
  const hash = createHash("sha256");
  if (size > 0) {
    for await (const chunk of createReadStream(path, { end: size - 1 })) hash.update(chunk);
  }
  if (hash.digest().equals(sha)) return;
  throw new Error(`Cannot use the backup "${path}": it is damaged, its checksum is another one`);
}

async function trailerOf(path: string): Promise<{ size: number; sha: Buffer }> {
  const file = await open(path, "r").catch((error: Error) => {
    throw new Error(`Cannot read the backup "${path}": ${error.message}`);
  });
  try {
    const size = (await file.stat()).size - TRAILER_BYTES;
    const trailer = Buffer.alloc(TRAILER_BYTES);
    if (size > 0) await file.read(trailer, 0, TRAILER_BYTES, size);
    const isOurs =
      trailer.readUInt32LE(0) === TRAILER_MAGIC && trailer.readUInt32LE(4) === SHA_BYTES;
    if (!isOurs) {
      throw new Error(
        `Cannot use the backup "${path}": it is no backup of fastlane's, or its end is missing`,
      );
    }
    return { size, sha: trailer.subarray(8) };
  } finally {
    await file.close();
  }
}

interface Entry {
  name: string;
  isFolder: boolean;
  content: Readable;
}

export interface BackupContents {
  manifest: Manifest;
  /** What follows, one after the other. Each content must be read. */
  entries: AsyncGenerator<Entry>;
}

/** @throws {Error} When it is of another format; use `verifyBackup` before. */
export async function readBackup(path: string): Promise<BackupContents> {
  requireZstd();
  const { size } = await trailerOf(path);
  const tar = extract();
  const reading = pipeline(
    createReadStream(path, { end: size - 1 }),
    zlib.createZstdDecompress(),
    tar,
  );
  reading.catch((error: Error) => tar.destroy(error));
  const entries = entriesIn(tar, path);
  const first = await entries.next();
  if (first.done === true || first.value.name !== MANIFEST_NAME) {
    throw new Error(`Cannot use the backup "${path}": it does not say what it is`);
  }
  const words = await text(first.value.content);
  const manifest = v.safeParse(Manifest, JSON.parse(words));
  if (manifest.success) return { manifest: manifest.output, entries };
  tar.destroy();
  throw new Error(
    `Cannot use the backup "${path}": its format is not ${FORMAT}; use the fastlane that made it`,
  );
}

async function* entriesIn(tar: ReturnType<typeof extract>, path: string): AsyncGenerator<Entry> {
  for await (const entry of tar) {
    const { name, type } = entry.header;
    const isFolder = type === "directory";
    if ((!isFolder && type !== "file") || name.startsWith("/") || name.split("/").includes("..")) {
      throw new Error(`Cannot use the backup "${path}": "${name}" in it is no file of ours`);
    }
    yield { name, isFolder, content: entry as unknown as Readable };
  }
}
