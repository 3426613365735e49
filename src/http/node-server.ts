import { createServer, type IncomingMessage, type Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import { WebSocketServer } from "ws";
import { SOCKET_OPTIONS, serveSocket } from "./node-sockets.ts";
import { OTHER_API_PORT, PortTaken } from "./port-taken.ts";
import {
  type HttpServer,
  type ListenAddress,
  READER_MAY_PAUSE_SECONDS,
  type ServedApp,
  STOP_WITHIN_MS,
} from "./server.ts";
import type { SocketHandler } from "./socket.ts";

/** What a request asks for that would have its connection become a WebSocket. */
interface Wish {
  socket: Duplex;
  head: Buffer;
  /** `null` until the routes have agreed. */
  granted: { handler: SocketHandler; headers: Record<string, string> } | null;
}

/** Connections that wait to be taken; Node sets it for a socket that it is handed, too. */
const BACKLOG = 4_096;

/** Tells the adapter that the connection is no longer its own. */
const notItsOwn = () => new Response(null, { headers: { "x-hono-already-sent": "true" } });

/**
 * Listens for HTTP.
 *
 * @throws {PortTaken} If another program has the port.
 */
export async function startHttpServer(app: ServedApp, address: ListenAddress): Promise<HttpServer> {
  const sockets = new WebSocketServer(SOCKET_OPTIONS);
  const wishes = new WeakMap<IncomingMessage, Wish>();
  const answer = getRequestListener(
    async (request, { incoming }) => {
      const { socket } = incoming;
      const wish = wishes.get(incoming as IncomingMessage);
      const response = await app.fetch(request, {
        peerAddress: socket.remoteAddress ?? "",
        mayBeSilent: () => void socket.setTimeout(0),
        upgrade(handler, headers) {
          if (wish !== undefined) wish.granted = { handler, headers };
          return wish !== undefined;
        },
      });
      return wish?.granted ? notItsOwn() : response;
    },
    {
      // Node's own classes stay what they are for the rest of the program.
      overrideGlobalObjects: false,
      // A client of HTTP/1.0 may leave it out.
      hostname: address.host,
      errorHandler: () =>
        Response.json({ error: "The URL of the request is none" }, { status: 400 }),
    },
  );
  const server = createServer((incoming, outgoing) => {
    hideUnfitHost(incoming);
    // Node keeps a connection that falls idle only after the close of the server.
    outgoing.once("close", () => {
      if (!server.listening) setImmediate(() => server.closeIdleConnections());
    });
    void answer(incoming, outgoing);
  });
  server.timeout = READER_MAY_PAUSE_SECONDS * 1_000;
  server.keepAliveTimeout = READER_MAY_PAUSE_SECONDS * 1_000;
  server.on("upgrade", async (incoming, socket, head) => {
    const wish: Wish = { socket, head, granted: null };
    wishes.set(incoming, wish);
    hideUnfitHost(incoming);
    await upgrade(sockets, incoming, wish, answer);
  });
  await listen(server, address);
  return {
    port: address.inheritedSocket === null ? portOf(server) : address.port,
    async stop(onAccepted) {
      const finished = stop(server, sockets);
      onAccepted();
      await finished;
    },
  };
}

/** A user before the host, or a path behind it. */
const GOES_ON = /[/?#\\@]/;

/**
 * A Host that is none would make no URL, and the adapter would refuse it. The app does that itself,
 * by the header as it was sent, which is another list than the one changed here.
 */
function hideUnfitHost(incoming: IncomingMessage): void {
  const { host } = incoming.headers;
  if (host === undefined || (URL.canParse(`http://${host}`) && !GOES_ON.test(host))) return;
  incoming.headers.host = "unfit.invalid";
}

/** The routes are asked as by any other request: what they refuse is answered as ever. */
async function upgrade(
  sockets: WebSocketServer,
  incoming: IncomingMessage,
  wish: Wish,
  answer: ReturnType<typeof getRequestListener>,
): Promise<void> {
  const outgoing = new ServerResponse(incoming);
  outgoing.shouldKeepAlive = false;
  outgoing.assignSocket(incoming.socket);
  // A client may break off at any time.
  const ignore = () => {};
  wish.socket.on("error", ignore);
  outgoing.on("finish", () => wish.socket.end());
  await answer(incoming, outgoing);
  const { granted, socket, head } = wish;
  if (granted === null) return;
  outgoing.detachSocket(incoming.socket);
  incoming.socket.setTimeout(0);
  const protocol = granted.headers["sec-websocket-protocol"];
  const addHeaders = (headers: string[]) => {
    if (protocol !== undefined) headers.push(`Sec-WebSocket-Protocol: ${protocol}`);
  };
  sockets.once("headers", addHeaders);
  sockets.handleUpgrade(incoming, socket, head, (opened) => {
    socket.off("error", ignore);
    serveSocket(opened, granted.handler);
  });
  sockets.off("headers", addHeaders);
}

async function stop(server: Server, sockets: WebSocketServer): Promise<void> {
  const finished = close(server);
  const timer = setTimeout(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
  }, STOP_WITHIN_MS);
  await finished;
  clearTimeout(timer);
}

async function listen(server: Server, address: ListenAddress): Promise<void> {
  const { host, port, reusePort, inheritedSocket } = address;
  const listening = Promise.withResolvers<void>();
  server.once("error", listening.reject);
  const where = inheritedSocket === null ? { host, port, reusePort } : { fd: inheritedSocket };
  server.listen(where, BACKLOG, listening.resolve);
  try {
    await listening.promise;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") {
      throw new PortTaken(host, port, OTHER_API_PORT);
    }
    throw error;
  }
  server.off("error", listening.reject);
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/**
 * Finds out before anything else is started, so that a second start does no harm to the first.
 *
 * @throws {PortTaken} If another program has the port.
 * @throws {Error} If others are to listen there too, and this Node cannot have them do so.
 */
export async function assertPortFree(address: ListenAddress): Promise<void> {
  const { host, port, reusePort, inheritedSocket } = address;
  if (inheritedSocket !== null) return;
  if (reusePort && !(await canShare(address))) {
    throw new Error(
      `Cannot listen on ${host}:${port} beside others, as reusePort says: Node ${process.versions.node} ` +
        "cannot; Node 23.1 and later, dist/fastlane, or a socket of systemd can",
    );
  }
  // Whoever connected at that moment would be turned away.
  if (port === 0 || reusePort) return;
  const server = createServer();
  await listen(server, address);
  await close(server);
}

/** Finds out at a port of nobody: a Node that does not know the option passes over it. */
async function canShare(address: ListenAddress): Promise<boolean> {
  const [first, second] = [createServer(), createServer()];
  await listen(first, { ...address, port: 0 });
  try {
    await listen(second, { ...address, port: portOf(first) });
    await close(second);
    return true;
  } catch (error) {
    if (error instanceof PortTaken) return false;
    throw error;
  } finally {
    await close(first);
  }
}

const close = (server: Server) => new Promise<void>((resolve) => server.close(() => resolve()));
