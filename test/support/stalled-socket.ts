import { once } from "node:events";
import { connect } from "node:net";

export interface StalledSocket extends Disposable {
  /** Reads all that there is to its end, and gives the texts of the messages. */
  readToEnd(): Promise<{ messages: string[]; closed: [number, string] }>;
}

/**
 * A WebSocket over a bare connection that reads nothing, not even pings, until it is told to: what a
 * client does that hangs, and which no client library will do for us.
 */
export async function openStalledSocket(wsUrl: string): Promise<StalledSocket> {
  const url = new URL(wsUrl);
  const socket = connect(Number(url.port), url.hostname);
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(
    `GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nUpgrade: websocket\r\n` +
      "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  await once(socket, "readable");
  const first: Buffer = socket.read(12);
  if (first.toString() !== "HTTP/1.1 101") throw new Error(`it answered ${first}`);
  return {
    async readToEnd() {
      const parts: Buffer[] = [];
      for await (const part of socket) parts.push(part);
      const bytes = Buffer.concat(parts);
      return messagesIn(bytes.subarray(bytes.indexOf("\r\n\r\n") + 4));
    },
    [Symbol.dispose]: () => socket.destroy(),
  };
}

/** Server's frames are neither masked nor, here, in fragments. */
function messagesIn(bytes: Buffer): { messages: string[]; closed: [number, string] } {
  const messages: string[] = [];
  let closed: [number, string] = [1006, ""];
  for (let at = 0; at < bytes.length; ) {
    const kind = bytes.readUInt8(at) & 0x0f;
    const short = bytes.readUInt8(at + 1);
    const header = short === 127 ? 10 : short === 126 ? 4 : 2;
    const length =
      short === 127
        ? Number(bytes.readBigUInt64BE(at + 2))
        : short === 126
          ? bytes.readUInt16BE(at + 2)
          : short;
    const data = bytes.subarray(at + header, at + header + length);
    if (kind === 1) messages.push(data.toString());
    if (kind === 8) closed = [data.readUInt16BE(0), data.subarray(2).toString()];
    at += header + length;
  }
  return { messages, closed };
}
