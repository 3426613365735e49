import type { ServerOptions, WebSocket } from "ws";
import { GONE_AFTER_SECONDS, MESSAGE_BYTES, type Socket, type SocketHandler } from "./socket.ts";

export const SOCKET_OPTIONS: ServerOptions = {
  noServer: true,
  perMessageDeflate: false,
  maxPayload: MESSAGE_BYTES,
  // The routes choose it, and tell by the answer's headers.
  handleProtocols: () => false,
};

/**
 * Sees to a socket that has just been opened.
 *
 * @param goneAfterSeconds A client that answers no ping for so long, or half of it, is gone.
 */
export function serveSocket(
  socket: WebSocket,
  handler: SocketHandler,
  goneAfterSeconds = GONE_AFTER_SECONDS,
): void {
  const gone = new AbortController();
  const waiting: (() => void)[] = [];
  const release = () => {
    for (const resolve of waiting.splice(0)) resolve();
  };
  let unsent = 0;
  const sent = () => {
    unsent -= 1;
    if (unsent === 0) release();
  };
  const stopPings = pingWhileOpen(socket, goneAfterSeconds);
  socket.on("close", () => {
    stopPings();
    gone.abort();
    release();
  });
  // What goes wrong with a socket ends it, and the close tells of that.
  socket.on("error", () => {});
  handler({
    closed: gone.signal,
    send(text) {
      if (socket.readyState !== socket.OPEN) return false;
      unsent += 1;
      socket.send(text, sent);
      return socket.bufferedAmount === 0;
    },
    drained: () =>
      new Promise((resolve) => {
        if (gone.signal.aborted || unsent === 0) resolve();
        else waiting.push(resolve);
      }),
    close: (code, reason) => socket.close(code, reason),
  } satisfies Socket);
}

function pingWhileOpen(socket: WebSocket, goneAfterSeconds: number): () => void {
  let isHeard = true;
  const hear = () => {
    isHeard = true;
  };
  socket.on("pong", hear).on("ping", hear).on("message", hear);
  const timer = setInterval(
    () => {
      if (!isHeard) return socket.terminate();
      isHeard = false;
      socket.ping();
    },
    (goneAfterSeconds / 2) * 1_000,
  );
  return () => clearInterval(timer);
}
