import { readlink, realpath, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/**
 * Where a file that is to be written to a path has to stand: a link's target, also where nothing is
 * there yet.
 *
 * @throws {Error} What is wrong, when a device, a pipe or a folder is there.
 */
export async function fileTarget(path: string): Promise<string> {
  const target = await realpath(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    return null;
  });
  if (target === null) {
    const link = await readlink(path).catch(() => null);
    return link === null ? path : fileTarget(resolve(await realpath(dirname(path)), link));
  }
  const there = await stat(target);
  if (there.isDirectory()) throw new Error("it is a folder; name a file in it");
  if (!there.isFile()) throw new Error("it is no file; use - for standard output");
  return target;
}
