import type { ServerWebSocket, WebSocketHandler } from "bun";
import { GONE_AFTER_SECONDS, MESSAGE_BYTES, type Socket, type SocketHandler } from "./socket.ts";

/** What belongs to a socket of Bun's server. */
export interface SocketData {
  handler: SocketHandler;
  gone: AbortController;
  drain: (() => void) | null;
}

/** Senders wait for the drain, so this is never reached; by default what is beyond it is dropped. */
const WAITING_BYTES = 4 * 1024 * 1024;

export const SOCKETS: WebSocketHandler<SocketData> = {
  // Bun pings who says nothing.
  idleTimeout: GONE_AFTER_SECONDS,
  sendPings: true,
  perMessageDeflate: false,
  maxPayloadLength: MESSAGE_BYTES,
  backpressureLimit: WAITING_BYTES,
  closeOnBackpressureLimit: true,
  open: (socket) => socket.data.handler(socketOf(socket)),
  message() {},
  drain: ({ data }) => release(data),
  close({ data }) {
    data.gone.abort();
    release(data);
  },
};

export function socketData(handler: SocketHandler): SocketData {
  return { handler, gone: new AbortController(), drain: null };
}

function release(data: SocketData): void {
  data.drain?.();
  data.drain = null;
}

function socketOf(socket: ServerWebSocket<SocketData>): Socket {
  const { data } = socket;
  return {
    closed: data.gone.signal,
    // Bun answers -1 where bytes wait to be sent, and 0 where the socket is gone.
    send: (text) => socket.send(text) > 0,
    drained: () =>
      new Promise((resolve) => {
        if (data.gone.signal.aborted || socket.getBufferedAmount() === 0) resolve();
        else data.drain = resolve;
      }),
    close: (code, reason) => socket.close(code, reason),
  };
}
