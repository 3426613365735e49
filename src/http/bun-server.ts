import { SOCKETS, type SocketData, socketData } from "./bun-sockets.ts";
import { acceptFrom } from "./inherited-listener.ts";
import { OTHER_API_PORT, PortTaken } from "./port-taken.ts";
import {
  type HttpServer,
  type ListenAddress,
  READER_MAY_PAUSE_SECONDS,
  type ServedApp,
  STOP_WITHIN_MS,
} from "./server.ts";

/**
 * Listens for HTTP.
 *
 * @throws {PortTaken} If another program has the port.
 */
export async function startHttpServer(app: ServedApp, address: ListenAddress): Promise<HttpServer> {
  const server = listen(async (request, bun) => {
    let isSocket = false;
    const answer = await app.fetch(request, {
      peerAddress: bun.requestIP(request)?.address ?? "",
      mayBeSilent: () => bun.timeout(request, 0),
      upgrade(handler, headers) {
        isSocket = bun.upgrade(request, { data: socketData(handler), headers });
        return isSocket;
      },
    });
    return isSocket ? undefined : answer;
  }, address);
  return {
    port: address.inheritedSocket === null ? (server.port ?? address.port) : address.port,
    async stop() {
      const finished = server.stop();
      const timer = setTimeout(() => void server.stop(true), STOP_WITHIN_MS);
      await finished;
      clearTimeout(timer);
    },
  };
}

type Answer = (
  request: Request,
  server: Bun.Server<SocketData>,
) => Response | Promise<Response | undefined>;

function listen(fetch: Answer, address: ListenAddress): Bun.Server<SocketData> {
  const { inheritedSocket } = address;
  if (inheritedSocket === null) return listenAt(fetch, address);
  const own = { host: "127.0.0.1", port: 0, reusePort: false };
  const server = listenAt(fetch, own);
  acceptFrom(inheritedSocket, { hostname: own.host, port: server.port ?? 0 });
  return server;
}

function listenAt(
  fetch: Answer,
  { host, port, reusePort }: Pick<ListenAddress, "host" | "port" | "reusePort">,
): Bun.Server<SocketData> {
  try {
    return Bun.serve({
      hostname: host,
      port,
      reusePort,
      // Bun's page for developers tells anybody of the program and its folders.
      development: false,
      idleTimeout: READER_MAY_PAUSE_SECONDS,
      websocket: SOCKETS,
      fetch,
    });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") {
      throw new PortTaken(host, port, OTHER_API_PORT);
    }
    throw error;
  }
}

/**
 * Finds out before anything else is started, so that a second start does no harm to the first.
 *
 * @throws {PortTaken} If another program has the port.
 */
export async function assertPortFree(address: ListenAddress): Promise<void> {
  const { port, reusePort, inheritedSocket } = address;
  // Whoever connected at that moment would be turned away.
  if (port === 0 || reusePort || inheritedSocket !== null) return;
  await listen(() => new Response(), address).stop(true);
}
