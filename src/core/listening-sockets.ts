/** A TCP socket of this machine that listens. */
export interface ListeningSocket {
  address: string;
  port: number;
  /** Its number among the kernel's files. */
  inode: number;
}

/** The state `TCP_LISTEN`. */
const LISTENS = "0A";

/** Those that listen, of what Linux tells in `/proc/net/tcp` and `/proc/net/tcp6`. */
export function listeningSockets(table: string): ListeningSocket[] {
  return table
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const [, local = "", , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state !== LISTENS) return [];
      const [address = "", port = ""] = local.split(":");
      return [
        { address: addressOf(address), port: Number.parseInt(port, 16), inode: Number(inode) },
      ];
    });
}

/** Words of 32 bits, each as this machine keeps it: the least byte first. */
function addressOf(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => word.match(/../g)?.reverse() ?? []);
  if (bytes.length === 4) return bytes.map((byte) => Number.parseInt(byte, 16)).join(".");
  const groups = bytes.join("").match(/.{4}/g) ?? [];
  // In its short form.
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}
