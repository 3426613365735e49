import { dlopen, ptr } from "bun:ffi";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;
const LOOK_EVERY_MS = 10;

/** A datagram socket as systemd has one, which keeps what it is told. */
export interface NoticeSocket extends Disposable {
  path: string;
  /** Each notice that came, its lines in one; the barriers between them are not among them. */
  told(): string[];
  /** Resolves when such a notice is there, at once when it is already. */
  until(notice: RegExp): Promise<void>;
  /** Resolves when more notices than so many are there. */
  untilMore(count: number): Promise<void>;
}

/** By the C library, since Bun knows no datagrams in the file system. */
export function openNoticeSocket(): NoticeSocket {
  const { symbols: libc } = dlopen("libc.so.6", {
    socket: { args: ["i32", "i32", "i32"], returns: "i32" },
    bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
    recv: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
    close: { args: ["i32"], returns: "i32" },
  });
  const folder = mkdtempSync(join(tmpdir(), "fastlane-notices-"));
  const path = join(folder, "socket");
  const address = Buffer.alloc(110);
  address.writeUInt16LE(AF_UNIX, 0);
  address.write(path, 2);
  const fd = libc.socket(AF_UNIX, SOCK_DGRAM, 0);
  if (libc.bind(fd, ptr(address), address.length) !== 0) throw new Error(`Cannot bind ${path}`);

  const notices: string[] = [];
  const datagram = Buffer.alloc(4096);
  const read = () => {
    for (;;) {
      // What is sent along, the barrier's descriptor, is closed by that, which is the answer to it.
      const bytes = Number(libc.recv(fd, ptr(datagram), datagram.length, MSG_DONTWAIT));
      if (bytes < 0) return;
      const notice = datagram.toString("utf8", 0, bytes);
      if (notice !== "BARRIER=1") notices.push(notice.replaceAll("\n", " "));
    }
  };
  const timer = setInterval(read, LOOK_EVERY_MS);
  return {
    path,
    told: () => [...notices],
    async until(notice) {
      while (!notices.some((each) => notice.test(each))) await sleep(LOOK_EVERY_MS);
    },
    async untilMore(count) {
      while (notices.length <= count) await sleep(LOOK_EVERY_MS);
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      libc.close(fd);
      rmSync(folder, { recursive: true });
    },
  };
}
