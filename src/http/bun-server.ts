import { SOCKETS, type SocketData, socketData } from "./bun-sockets.ts";
import {
  type HttpServer,
  type ListenAddress,
  PortTaken,
  READER_MAY_PAUSE_SECONDS,
  type ServedApp,
  STOP_WITHIN_MS,
} from "./server.ts";

/**
 * Listens for HTTP.
 *
 * @throws {PortTaken} If another program has the port.
 */
export async function startHttpServer(
  app: ServedApp,
  { host, port }: ListenAddress,
): Promise<HttpServer> {
  const server = listen(
    async (request, bun) => {
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
    },
    host,
    port,
  );
  return {
    port: server.port ?? port,
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

function listen(fetch: Answer, hostname: string, port: number): Bun.Server<SocketData> {
  try {
    return Bun.serve({
      hostname,
      port,
      // Bun's page for developers tells anybody of the program and its folders.
      development: false,
      idleTimeout: READER_MAY_PAUSE_SECONDS,
      websocket: SOCKETS,
      fetch,
    });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") {
      throw new PortTaken({ host: hostname, port });
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
  if (address.port === 0) return;
  await listen(() => new Response(), address.host, address.port).stop(true);
}
