import { once } from "node:events";
import type { Duplex } from "node:stream";

const HEAD_END = "\r\n\r\n";
const HEAD_BYTES = 16 * 1024;

/**
 * Attaches to a container's output over a bare connection, which the engine takes over from HTTP.
 * It lasts as long as the container, and what docker-modem keeps of a request for as long made a
 * node that runs 2,000 some 50 MB larger.
 *
 * @param open Connects to the engine's API.
 * @returns The engine's multiplexed stream, from its first byte on.
 * @throws {Error} When the engine, or what stands before it, does not give the stream as it is.
 */
export async function attach(
  open: () => Promise<Duplex>,
  containerId: string,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const connection = await open();
  // Whoever reads hears of it; when nobody does any more, nobody need to.
  connection.on("error", () => {});
  const giveUp = () => connection.destroy();
  signal.addEventListener("abort", giveUp, { once: true });
  connection.once("close", () => signal.removeEventListener("abort", giveUp));
  try {
    signal.throwIfAborted();
    connection.write(
      `POST /containers/${containerId}/attach?stream=1&stdout=1&stderr=1 HTTP/1.1\r\n` +
        `Host: docker\r\nContent-Length: 0${HEAD_END}`,
    );
    await readHead(connection, signal);
    return connection;
  } catch (error) {
    connection.destroy();
    throw error;
  }
}

/** Takes the answer's head from the connection, and leaves what comes behind it there. */
async function readHead(connection: Duplex, signal: AbortSignal): Promise<void> {
  let head = Buffer.alloc(0);
  while (head.length < HEAD_BYTES) {
    await once(connection, "readable", { signal });
    const bytes: Buffer | null = connection.read();
    if (bytes === null) throw new Error("The connection ended without an answer");
    head = Buffer.concat([head, bytes]);
    const end = head.indexOf(HEAD_END);
    if (end < 0) continue;
    const text = head.subarray(0, end).toString("latin1");
    if (!/^HTTP\/1\.[01] (?:101|200) /.test(text) || /^transfer-encoding:/im.test(text)) {
      throw new Error(`Cannot attach: the answer is ${text.split("\r\n")[0]}`);
    }
    const rest = head.subarray(end + HEAD_END.length);
    if (rest.length > 0) connection.unshift(rest);
    return;
  }
  throw new Error("Cannot attach: the answer's head is too long");
}
