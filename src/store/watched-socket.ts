import { Socket } from "node:net";

/**
 * How long a server may leave a question without any answer, in milliseconds. A statement is ended
 * by the server itself before that (`STATEMENT_TIMEOUT_MS`), so silence means that the path is gone.
 */
const SILENCE_LIMIT_MS = 8_000;
export const STATEMENT_TIMEOUT_MS = 6_000;

const LOOK_EVERY_MS = 1_000;
const KEEP_ALIVE_AFTER_MS = 10_000;
const READY_FOR_QUERY = 0x5a;

/** Sockets to Postgres that notice a dead path, and can all be cut at once. */
export interface WatchedSockets {
  open(): Socket;
  /** Destroys every open connection; the drivers fail what was under way and connect anew. */
  destroyAll(why: string): void;
}

/**
 * Neither driver has a limit for an answer: a path that drops everything without a word would hang
 * its queries for ever, and a query merely abandoned would leave its connection in the pool.
 *
 * @param readable Whether the protocol can be read on the socket: under TLS it cannot, and only
 *   the kernel's keep-alive and `destroyAll` are left.
 */
export function watchSockets(readable: boolean): WatchedSockets {
  const sockets = new Set<Socket>();
  return {
    open() {
      const socket = new Socket();
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      // Not before: node's `connect` puts its own `write` back in place. What is written until then
      // is under the drivers' own limit for connecting.
      socket.once("connect", () => {
        socket.setKeepAlive(true, KEEP_ALIVE_AFTER_MS);
        if (readable) destroyWhenSilent(socket);
      });
      return socket;
    },
    destroyAll(why) {
      for (const socket of sockets) socket.destroy(silence(why));
    },
  };
}

function destroyWhenSilent(socket: Socket): void {
  let unansweredSince: number | null = null;
  const write = socket.write;
  socket.write = function (this: Socket, ...args: Parameters<Socket["write"]>) {
    unansweredSince ??= performance.now();
    return Reflect.apply(write, this, args);
  } as Socket["write"];
  socket.on("data", (bytes: Uint8Array) => {
    // An answer ends with ReadyForQuery: "Z", a length of 5, and the transaction's state.
    const answered = bytes.at(-6) === READY_FOR_QUERY && bytes.at(-2) === 5;
    if (unansweredSince !== null) unansweredSince = answered ? null : performance.now();
  });
  const timer = setInterval(() => {
    if (unansweredSince === null) return;
    const silentMs = performance.now() - unansweredSince;
    if (silentMs >= SILENCE_LIMIT_MS) {
      socket.destroy(silence(`no answer for ${Math.round(silentMs)} ms`));
    }
  }, LOOK_EVERY_MS);
  timer.unref();
  socket.once("close", () => clearInterval(timer));
}

function silence(why: string): Error {
  return Object.assign(new Error(`Connection to Postgres given up: ${why}`), { code: "ETIMEDOUT" });
}
