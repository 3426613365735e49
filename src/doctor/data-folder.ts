import { stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { Tell } from "./finding.ts";
import { judgeSpace, type Space } from "./space.ts";

/** The folder of the embedded Postgres: whose it is, who may enter it, and what is free there. */
export async function checkDataFolder(tell: Tell, dataDir: string): Promise<void> {
  await checkOwner(tell, `${dataDir}/postgres/data`);
  const nearest = await nearestFolder(dataDir);
  const where = nearest === dataDir ? `in ${dataDir}` : `where ${dataDir} will be`;
  judgeSpace(tell, where, await spaceAt(nearest), ROOM);
}

const ROOM =
  "make room, keep logs for a shorter time by [retention], or move dataDir to a larger disk";

async function checkOwner(tell: Tell, data: string): Promise<void> {
  const found = await stat(data).catch((error: NodeJS.ErrnoException) => error);
  if (found instanceof Error) {
    if (found.code === "ENOENT") tell.ok("there is no data yet: the first start makes it");
    else {
      tell.problem(
        `its folder "${data}" cannot be looked at: ${found.code}`,
        "ask as the user that fastlane runs as, or choose another dataDir",
      );
    }
    return;
  }
  const us = process.getuid?.() ?? 0;
  if (us !== 0 && found.uid !== us) {
    tell.problem(
      `its folder "${data}" belongs to user ${found.uid}, and this is user ${us}`,
      "start fastlane as that user, or choose another dataDir",
    );
  }
  if ((found.mode & 0o027) !== 0) {
    tell.problem(
      `its folder "${data}" is open to others (mode ${(found.mode & 0o777).toString(8)}), and Postgres does not start in it`,
      `close it by chmod 700 ${data}`,
    );
  }
}

/** Where a folder is, or will be made. */
async function nearestFolder(path: string): Promise<string> {
  const isThere = await stat(path).then(
    () => true,
    () => false,
  );
  return isThere || path === dirname(path) ? path : await nearestFolder(dirname(path));
}

export async function spaceAt(path: string): Promise<Space> {
  const { bavail, blocks, bsize } = await statfs(path);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}
