import { createServer, type Server, type Socket } from "node:net";

/*
 * As much of HTTP/1.1 as a Docker client speaks. Not `node:http`: an engine takes connections over
 * for raw streams, and a scripted one has to cut, silence and refuse them at any moment.
 */

export interface Request {
  method: string;
  /** Without a version in front. */
  path: string;
  query: URLSearchParams;
  body: unknown;
}

/** The answer to one request: one of these calls, once. */
export interface Reply {
  json(status: number, body: unknown, headers?: Record<string, string>): void;
  empty(status: number): void;
  /** Sends the headers at once; what is written follows in chunks. */
  stream(contentType: string): ReplyStream;
  /** Takes the connection over: whoever asked for an upgrade hears 101, others 200. */
  hijack(): ReplyStream;
  /** Cuts the connection off. */
  cut(): void;
}

export interface ReplyStream {
  write(bytes: Uint8Array | string): void;
  end(): void;
  onClose(listener: () => void): void;
}

export interface SocketServer {
  /** Ends every connection, and refuses new ones until `listen`. */
  refuse(): Promise<void>;
  listen(): Promise<void>;
  /** Cuts those connections that carry a stream. */
  dropStreams(): void;
}

const HEAD_END = "\r\n\r\n";
const RAW_STREAM = "application/vnd.docker.raw-stream";
const REASONS: Record<number, string> = {
  200: "OK",
  201: "Created",
  204: "No Content",
  304: "Not Modified",
  400: "Bad Request",
  404: "Not Found",
  409: "Conflict",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

export function socketServer(
  path: string,
  handle: (request: Request, reply: Reply) => void,
): SocketServer {
  const sockets = new Set<Socket>();
  const streams = new Set<Socket>();
  let server: Server | null = null;
  const accept = (socket: Socket) => {
    sockets.add(socket);
    // A client that goes away is no fault; "close" follows.
    socket.on("error", () => {});
    socket.on("close", () => {
      sockets.delete(socket);
      streams.delete(socket);
    });
    readRequests(socket, (request, isUpgrade) =>
      handle(
        request,
        replyOn(socket, isUpgrade, () => streams.add(socket)),
      ),
    );
  };
  return {
    async listen() {
      if (server !== null) return;
      const listening = createServer({ allowHalfOpen: true }, accept);
      server = listening;
      await new Promise<void>((resolve, reject) => {
        listening.once("error", reject);
        listening.listen(path, resolve);
      });
    },
    async refuse() {
      const closing = server;
      server = null;
      if (closing === null) return;
      const closed = new Promise((resolve) => closing.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    dropStreams() {
      for (const socket of streams) socket.destroy();
    },
  };
}

/** One request after the other; a client sends the next only when it has the answer. */
function readRequests(
  socket: Socket,
  onRequest: (request: Request, isUpgrade: boolean) => void,
): void {
  let pending: Buffer = Buffer.alloc(0);
  socket.on("data", (bytes: Buffer) => {
    pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes]);
    for (;;) {
      const headEnd = pending.indexOf(HEAD_END);
      if (headEnd < 0) return;
      const head = pending.toString("latin1", 0, headEnd);
      const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
      const bodyAt = headEnd + HEAD_END.length;
      if (pending.length < bodyAt + length) return;
      const body = pending.toString("utf8", bodyAt, bodyAt + length);
      const isUpgrade = /^connection: *upgrade/im.test(head);
      pending = isUpgrade ? Buffer.alloc(0) : pending.subarray(bodyAt + length);
      const [method = "", target = ""] = head.split(" ", 2);
      const url = new URL(target.replace(/^\/v\d[\d.]*(?=\/)/, ""), "http://engine");
      const path = decodeURIComponent(url.pathname);
      onRequest({ method, path, query: url.searchParams, body: parsed(body) }, isUpgrade);
    }
  });
}

function parsed(body: string): unknown {
  return body === "" ? null : JSON.parse(body);
}

function replyOn(socket: Socket, isUpgrade: boolean, onStream: () => void): Reply {
  const send = (status: number, headers: readonly string[], body = "") => {
    if (socket.destroyed) return;
    const head = [`HTTP/1.1 ${status} ${REASONS[status] ?? "Status"}`, ...headers];
    socket.write(`${head.join("\r\n")}${HEAD_END}${body}`);
  };
  const open = (encode: (bytes: Uint8Array | string) => void, end: () => void): ReplyStream => {
    onStream();
    return {
      write: (bytes) => {
        if (!socket.destroyed && bytes.length > 0) encode(bytes);
      },
      end: () => {
        if (!socket.destroyed) end();
      },
      onClose: (listener) => {
        if (socket.destroyed) listener();
        else socket.on("close", listener);
        // A client that closes its half of a stream has left it.
        socket.on("end", () => socket.destroy());
      },
    };
  };
  return {
    json(status, body, headers = {}) {
      const text = JSON.stringify(body);
      const extra = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
      const length = `Content-Length: ${Buffer.byteLength(text)}`;
      send(status, ["Content-Type: application/json", length, ...extra], text);
    },
    empty: (status) => send(status, status === 204 || status === 304 ? [] : ["Content-Length: 0"]),
    stream(contentType) {
      send(200, [`Content-Type: ${contentType}`, "Transfer-Encoding: chunked"]);
      return open(
        (bytes) => {
          socket.write(`${Buffer.byteLength(bytes).toString(16)}\r\n`);
          socket.write(bytes);
          socket.write("\r\n");
        },
        () => socket.write(`0${HEAD_END}`),
      );
    },
    hijack() {
      if (isUpgrade) {
        socket.write(
          `HTTP/1.1 101 UPGRADED\r\nContent-Type: ${RAW_STREAM}\r\nConnection: Upgrade\r\nUpgrade: tcp${HEAD_END}`,
        );
      } else {
        send(200, [`Content-Type: ${RAW_STREAM}`]);
      }
      return open(
        (bytes) => socket.write(bytes),
        () => socket.end(),
      );
    },
    cut: () => socket.destroy(),
  };
}
