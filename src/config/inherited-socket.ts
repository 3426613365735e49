import { readFileSync, readlinkSync } from "node:fs";
import { listeningSockets } from "../core/listening-sockets.ts";
import { ConfigError } from "./fault.ts";

/** The first that systemd hands over, as sd_listen_fds(3) has it. */
const FIRST_FD = 3;

/** A socket that listens already, and goes on to when this process has ended. */
export interface InheritedSocket {
  fd: number;
  host: string;
  port: number;
}

/**
 * The socket that systemd listens with and has handed over to this process.
 *
 * @throws {ConfigError} Where it is none that the API can be served by.
 */
export function inheritedSocket(
  environment: Readonly<Record<string, string | undefined>>,
): InheritedSocket | null {
  const { LISTEN_PID: pid, LISTEN_FDS: count = "" } = environment;
  // Who starts others leaves them these variables, which say by this that they are not theirs.
  if (pid !== String(process.pid) || Number(count) === 0) return null;
  if (count !== "1") {
    throw new ConfigError([
      `LISTEN_FDS is "${count}", and must be 1: one ListenStream for each socket unit`,
    ]);
  }
  const place = placeOf(FIRST_FD);
  if (place === null) {
    throw new ConfigError([
      `LISTEN_FDS names descriptor ${FIRST_FD}, which must be a TCP socket that listens`,
    ]);
  }
  return { fd: FIRST_FD, ...place };
}

function placeOf(fd: number): { host: string; port: number } | null {
  const inode = Number(/^socket:\[(\d+)\]$/.exec(linkOf(`/proc/self/fd/${fd}`))?.[1]);
  const found = ["tcp", "tcp6"]
    .flatMap((table) => listeningSockets(textOf(`/proc/self/net/${table}`)))
    .find((socket) => socket.inode === inode);
  return found === undefined ? null : { host: found.address, port: found.port };
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

/** Nothing where the machine has no IPv6. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
