import { dlopen, ptr } from "bun:ffi";
import { readdirSync, readFileSync } from "node:fs";
import { listeningSockets } from "../core/listening-sockets.ts";

const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const F_GETFD = 1;
const F_SETFD = 2;
const F_GETFL = 3;
const F_SETFL = 4;
const FD_CLOEXEC = 1;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
/** `struct epoll_event` is packed on x86-64 alone. */
const EVENT = process.arch === "x64" ? { bytes: 12, dataAt: 4 } : { bytes: 16, dataAt: 8 };

/** Where the server listens by itself. */
interface Listening {
  hostname: string;
  port: number;
}

/** How a descriptor is watched by an epoll, as `/proc/self/fdinfo` tells. */
interface Watch {
  epoll: number;
  fd: number;
  events: number;
  /** By which the event loop knows whom an event is for. */
  data: bigint;
}

/**
 * Has a server of Bun accept from a socket that this process has inherited.
 *
 * Bun 1.4.5 can only listen by itself (`fd` is ignored by Bun.serve and by its node:http). So the
 * inherited socket is put in the place of the one that the server listens with: under the same
 * descriptor, watched in the same way. The server's own is closed by that.
 *
 * @param fd The inherited one; it stays open when the server stops.
 * @returns What has the server accept nothing more, and go on with what it has accepted.
 * @throws {Error} Where the server's own socket is not found.
 */
export function acceptFrom(fd: number, server: Listening): () => void {
  const own = ownListener(server);
  const { symbols: libc } = dlopen("libc.so.6", {
    dup3: { args: ["i32", "i32", "i32"], returns: "i32" },
    fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
    epoll_ctl: { args: ["i32", "i32", "i32", "ptr"], returns: "i32" },
  });
  const event = new DataView(new ArrayBuffer(EVENT.bytes));
  event.setUint32(0, own.events, true);
  event.setBigUint64(EVENT.dataAt, own.data, true);
  const results = [
    libc.fcntl(fd, F_SETFL, libc.fcntl(fd, F_GETFL, 0) | O_NONBLOCK),
    // No child of ours is to have it as well.
    libc.fcntl(fd, F_SETFD, libc.fcntl(fd, F_GETFD, 0) | FD_CLOEXEC),
    libc.dup3(fd, own.fd, O_CLOEXEC),
    libc.epoll_ctl(own.epoll, EPOLL_CTL_ADD, own.fd, ptr(event.buffer)),
  ];
  if (results.some((result) => result < 0)) throw cannot(`descriptor ${fd} was refused`);
  return () => void libc.epoll_ctl(own.epoll, EPOLL_CTL_DEL, own.fd, ptr(event.buffer));
}

function ownListener({ hostname, port }: Listening): Watch {
  const tables = ["tcp", "tcp6"].map((name) => textOf(`/proc/self/net/${name}`));
  const inode = tables
    .flatMap(listeningSockets)
    .find((socket) => socket.port === port && socket.address === hostname)?.inode;
  if (inode === undefined) throw cannot("the server's own socket is not found");
  for (const epoll of readdirSync("/proc/self/fdinfo").map(Number)) {
    for (const line of textOf(`/proc/self/fdinfo/${epoll}`).split("\n")) {
      const [, fd, events, data, ino] =
        /^tfd:\s*(\d+)\s+events:\s*(\w+)\s+data:\s*(\w+)\s.*\bino:(\w+)/.exec(line) ?? [];
      if (Number.parseInt(ino ?? "", 16) !== inode) continue;
      return {
        epoll,
        fd: Number(fd),
        events: Number.parseInt(events ?? "", 16),
        data: BigInt(`0x${data}`),
      };
    }
  }
  throw cannot("the event loop does not watch the server's own socket");
}

const cannot = (why: string) =>
  new Error(`Cannot accept from the socket that systemd has handed over: ${why}`);

/** A file of Linux that may be gone by now. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
