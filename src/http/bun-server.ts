import { setTimeout as delay } from "node:timers/promises";
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

/** No request has come for so long: those that clients had sent are read. */
const QUIET_FOR_MS = 200;
const QUIET_WITHIN_MS = 1_000;
const LOOK_EVERY_MS = 20;

/**
 * Listens for HTTP.
 *
 * @throws {PortTaken} If another program has the port.
 */
export async function startHttpServer(app: ServedApp, address: ListenAddress): Promise<HttpServer> {
  let askedAt = performance.now();
  const { server, stopAccepting } = listen(async (request, bun) => {
    askedAt = performance.now();
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
  /** Bun closes each connection on which it has read no request yet, also where one has come. */
  const untilQuiet = async () => {
    const begun = performance.now();
    const isQuiet = () =>
      server.pendingRequests === 0 && performance.now() - askedAt > QUIET_FOR_MS;
    while (!isQuiet() && performance.now() - begun < QUIET_WITHIN_MS) await delay(LOOK_EVERY_MS);
  };
  return {
    port: address.inheritedSocket === null ? (server.port ?? address.port) : address.port,
    async stop(onAccepted) {
      if (stopAccepting !== null) {
        stopAccepting();
        onAccepted();
        await untilQuiet();
      }
      // What is being answered may finish; what stays open all the same is cut.
      const finished = server.stop();
      if (stopAccepting === null) onAccepted();
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

interface Listening {
  server: Bun.Server<SocketData>;
  /** Has who connects wait for whoever else accepts; `null` where nobody else can. */
  stopAccepting: (() => void) | null;
}

function listen(fetch: Answer, address: ListenAddress): Listening {
  const { inheritedSocket } = address;
  if (inheritedSocket === null) {
    return { server: listenAt(fetch, address), stopAccepting: null };
  }
  const own = { host: "127.0.0.1", port: 0, reusePort: false };
  const server = listenAt(fetch, own);
  const stopAccepting = acceptFrom(inheritedSocket, {
    hostname: own.host,
    port: server.port ?? 0,
  });
  return { server, stopAccepting };
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
  await listenAt(() => new Response(), address).stop(true);
}
