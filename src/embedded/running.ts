import { realpath } from "node:fs/promises";
import { OWN_NAME } from "./cluster.ts";
import { findPostmaster } from "./postmaster.ts";

/** @param sockets The folder in which the server has its socket. */
export function urlOfSockets(sockets: string): string {
  return `postgres://${OWN_NAME}@localhost/${OWN_NAME}?host=${encodeURIComponent(sockets)}`;
}

/**
 * Where the embedded Postgres of a data folder can be asked while some process has it running;
 * nothing is made or started for it.
 *
 * @returns `null` where none runs, or where it is not ours to see.
 */
export async function runningPostgresUrl(dataDir: string): Promise<string | null> {
  const folder = await realpath(dataDir).catch(() => null);
  if (folder === null) return null;
  const postmaster = await findPostmaster({ data: `${folder}/postgres/data` });
  if (postmaster === null || postmaster.sockets === "") return null;
  return urlOfSockets(postmaster.sockets);
}
