import { dlopen, ptr } from "bun:ffi";

const AF_INET = 2;
const SOCK_STREAM = 1;
const BACKLOG = 4_096;

/** A socket that listens as long as this process lives, whoever accepts from it; as systemd has it. */
export function holdSocket(): { fd: number; port: number; close(): void } {
  const { symbols: libc } = dlopen("libc.so.6", {
    socket: { args: ["i32", "i32", "i32"], returns: "i32" },
    bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
    listen: { args: ["i32", "i32"], returns: "i32" },
    getsockname: { args: ["i32", "ptr", "ptr"], returns: "i32" },
    close: { args: ["i32"], returns: "i32" },
  });
  // `struct sockaddr_in`: 127.0.0.1, and any port.
  const address = new Uint8Array([AF_INET, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
  const fd = libc.socket(AF_INET, SOCK_STREAM, 0);
  const length = new Uint32Array([address.length]);
  const results = [
    libc.bind(fd, ptr(address), address.length),
    libc.listen(fd, BACKLOG),
    libc.getsockname(fd, ptr(address), ptr(length)),
  ];
  if (results.some((result) => result < 0)) throw new Error("Cannot hold a socket");
  return {
    fd,
    port: new DataView(address.buffer).getUint16(2),
    close: () => void libc.close(fd),
  };
}

/** A command that finds the socket as its descriptor 3, as sd_listen_fds(3) has it. */
export const inheriting = (command: readonly string[]) => [
  "sh",
  "-c",
  'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"',
  "sh",
  ...command,
];
