import { connect } from "node:net";
import { eventually } from "./client.ts";

export interface BareSocket extends Disposable {
  /** Of the answer to the handshake. */
  status: number;
  /** What came so far, a message each. */
  messages: string[];
  /** All of it as text. */
  text(): string;
  /** Reads on; when paused it takes nothing, not even pings, and the server's side fills up. */
  resume(): void;
  /** Resolves when all that came is as wanted. */
  until(isAsWanted: (socket: BareSocket) => boolean, withinMs?: number): Promise<void>;
  /** Code and reason of the close, when it has come; 1006 where the connection ends without one. */
  closed: Promise<[number, string]>;
  /** Reads on to the end, and gives all that came. */
  readToEnd(): Promise<{ messages: string[]; closed: [number, string] }>;
}

interface BareSocketOptions {
  paused?: boolean;
  headers?: string[];
}

/**
 * A WebSocket by hand: it can be told not to read, as a client does that hangs, and to come from any
 * origin. Resolves when the server has answered.
 */
async function openBareSocket(
  url: string,
  { paused = false, headers = [] }: BareSocketOptions,
): Promise<BareSocket> {
  const { host, hostname, port, pathname, search } = new URL(url);
  const socket = connect(Number(port), hostname);
  const answered = Promise.withResolvers<number>();
  const closed = Promise.withResolvers<[number, string]>();
  const messages: string[] = [];
  let isOpen = false;
  let bytes: Buffer = Buffer.alloc(0);
  const take = () => {
    for (let frame = frameOf(bytes); frame !== null; frame = frameOf(bytes)) {
      const { opcode, payload, end } = frame;
      bytes = bytes.subarray(end);
      if (opcode === 1) messages.push(payload.toString());
      if (opcode === 8) closed.resolve([payload.readUInt16BE(0), payload.subarray(2).toString()]);
    }
  };
  socket.on("data", (part: Buffer) => {
    bytes = Buffer.concat([bytes, part]);
    if (!isOpen) {
      const end = bytes.indexOf("\r\n\r\n");
      if (end < 0) return;
      isOpen = true;
      answered.resolve(Number(bytes.toString().split(" ")[1]));
      bytes = bytes.subarray(end + 4);
      if (paused) socket.pause();
    }
    take();
  });
  socket.on("error", (error) => answered.reject(error));
  socket.on("close", () => closed.resolve([1006, ""]));
  const key = crypto.getRandomValues(new Uint8Array(16)).toBase64();
  socket.write(
    [
      `GET ${pathname}${search} HTTP/1.1`,
      `Host: ${host}`,
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      `Sec-WebSocket-Key: ${key}`,
      ...headers,
      "\r\n",
    ].join("\r\n"),
  );
  const bare: BareSocket = {
    status: await answered.promise,
    messages,
    text: () => messages.join(""),
    resume: () => socket.resume(),
    async until(isAsWanted, withinMs) {
      await eventually(
        () => isAsWanted(bare) || undefined,
        () => `what came is not as wanted: ${bare.text().slice(-1_000)}`,
        withinMs,
      );
    },
    closed: closed.promise,
    async readToEnd() {
      socket.resume();
      return { messages, closed: await closed.promise };
    },
    [Symbol.dispose]: () => socket.destroy(),
  };
  return bare;
}

/** A tail of many, also where it is refused. */
export async function openTail(
  url: string,
  query: Record<string, string>,
  options: BareSocketOptions = {},
): Promise<BareSocket> {
  return await openBareSocket(`${url}/tail/ws/?${new URLSearchParams(query)}`, options);
}

/** One that reads nothing until it is told to. */
export async function openStalledSocket(url: string): Promise<BareSocket> {
  const stalled = await openBareSocket(url, { paused: true });
  if (stalled.status !== 101) throw new Error(`it answered ${stalled.status}`);
  return stalled;
}

/** The first frame of a server, which masks nothing; `null` when it has not come whole. */
function frameOf(bytes: Buffer): { opcode: number; payload: Buffer; end: number } | null {
  if (bytes.length < 2) return null;
  const short = bytes.readUInt8(1);
  const begin = short === 127 ? 10 : short === 126 ? 4 : 2;
  if (bytes.length < begin) return null;
  const length =
    short === 127
      ? Number(bytes.readBigUInt64BE(2))
      : short === 126
        ? bytes.readUInt16BE(2)
        : short;
  const end = begin + length;
  if (bytes.length < end) return null;
  return { opcode: bytes.readUInt8(0) & 15, payload: bytes.subarray(begin, end), end };
}
