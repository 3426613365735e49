import type { createHttpApp } from "./app.ts";
import { SOCKETS, type SocketData, socketData } from "./bun-sockets.ts";

export interface HttpServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** The port cannot be listened on. */
class PortTaken extends Error {
  override readonly name = "PortTaken";
}

const STOP_WITHIN_MS = 3_000;
/** A log may be read page by page; Bun's default would cut the reader off after 10 s. */
const READER_MAY_PAUSE_SECONDS = 240;

/**
 * Listens for HTTP.
 *
 * @param port 0 for any that is free.
 * @throws {PortTaken} If another program has the port.
 */
export function startHttpServer(
  app: ReturnType<typeof createHttpApp>,
  { host, port }: { host: string; port: number },
): HttpServer {
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
      // What is being answered may finish; what stays open all the same is cut.
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
      throw new PortTaken(
        `Cannot listen on ${hostname}:${port}: another program does; stop it, or choose another ` +
          "port by --port or FASTLANE_PORT",
      );
    }
    throw error;
  }
}

/**
 * Finds out before anything else is started, so that a second start does no harm to the first.
 *
 * @throws {PortTaken} If another program has the port.
 */
export async function assertPortFree(address: { host: string; port: number }): Promise<void> {
  if (address.port === 0) return;
  await listen(() => new Response(), address.host, address.port).stop(true);
}
