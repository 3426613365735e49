import { once } from "node:events";
import { readFileSync } from "node:fs";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";

export interface ReceivedRequest {
  method: string;
  /** Path and query. */
  path: string;
  /** Names in lower case. */
  headers: Record<string, string>;
  body: string;
  /** Of SNI, `null` without. */
  servername: string | null;
  at: Date;
}

/**
 * What a receiver does with a request: a status alone, a status with more, a reset of the connection,
 * its end without an answer, or nothing at all.
 */
export type ReceiverAnswer =
  | number
  | { status: number; headers?: Record<string, string>; body?: string }
  | "reset"
  | "close"
  | "silence";

type Decide = (request: ReceivedRequest) => ReceiverAnswer | Promise<ReceiverAnswer>;
/** Of a list each is for one request, and the last for all that follow. */
type Answers = ReceiverAnswer | readonly ReceiverAnswer[] | Decide;

export interface Receiver extends AsyncDisposable {
  /** Its root, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** All that came, the oldest first; each is here before it is answered. */
  readonly requests: readonly ReceivedRequest[];
  /** Resolves with the first so many requests, once they are there. */
  received(count: number): Promise<readonly ReceivedRequest[]>;
  /** Goes on with another answer. */
  answer(next: Answers): void;
  stop(): Promise<void>;
}

/**
 * A receiver of webhooks on 127.0.0.1 that keeps what it gets.
 *
 * @param options.answer 204 when absent. A function may be as slow as it likes: the answer waits for it.
 * @param options.tls Files, PEM; over plain HTTP when absent.
 */
export async function startReceiver(
  options: { answer?: Answers; tls?: { certFile: string; keyFile: string } } = {},
): Promise<Receiver> {
  const requests: ReceivedRequest[] = [];
  const waiting = new Set<() => void>();
  let decide = toDecide(options.answer ?? 204);

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await readRequest(incoming);
    requests.push(request);
    for (const wake of waiting) wake();
    give(await decide(request), incoming, response);
  }

  const onRequest = (incoming: IncomingMessage, response: ServerResponse) => {
    // One that breaks off in the middle is none.
    handle(incoming, response).catch(() => incoming.destroy());
  };
  const { tls } = options;
  const server =
    tls === undefined
      ? http.createServer(onRequest)
      : https.createServer(
          { cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) },
          onRequest,
        );
  const sockets = socketsOf(server);
  const port = await listen(server);

  async function stop(): Promise<void> {
    server.close();
    for (const socket of sockets) socket.destroy();
  }

  return {
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    port,
    requests,
    async received(count) {
      while (requests.length < count) {
        const { promise, resolve } = Promise.withResolvers<void>();
        waiting.add(resolve);
        await promise;
        waiting.delete(resolve);
      }
      return requests.slice(0, count);
    },
    answer(next) {
      decide = toDecide(next);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** A receiver that has every connection to itself from the first byte of a request on. */
export async function startRawReceiver(
  onRequest: (socket: Socket) => void,
): Promise<AsyncDisposable & { url: string; port: number }> {
  const server = createServer((socket) => socket.once("data", () => onRequest(socket)));
  const sockets = socketsOf(server);
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Those that are open. */
function socketsOf(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
  });
  return sockets;
}

async function listen(server: Server): Promise<number> {
  await once(server.listen(0, "127.0.0.1"), "listening");
  return (server.address() as AddressInfo).port;
}

function toDecide(answer: Answers): Decide {
  if (typeof answer === "function") return answer;
  const inTurn = Array.isArray(answer) ? [...answer] : [answer];
  return () => (inTurn.length > 1 ? inTurn.shift() : inTurn[0]) ?? 204;
}

async function readRequest(incoming: IncomingMessage): Promise<ReceivedRequest> {
  const at = new Date();
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part);
  const headers = Object.entries(incoming.headers).map(([name, text]) => [name, String(text)]);
  return {
    method: incoming.method ?? "",
    path: incoming.url ?? "",
    headers: Object.fromEntries(headers),
    body: Buffer.concat(parts).toString(),
    servername: servernameOf(incoming.socket),
    at,
  };
}

function servernameOf(socket: Socket): string | null {
  const { servername } = socket as Partial<TLSSocket>;
  return typeof servername === "string" ? servername : null;
}

function give(answer: ReceiverAnswer, incoming: IncomingMessage, response: ServerResponse): void {
  if (answer === "silence") return;
  if (answer === "reset") return void incoming.socket.resetAndDestroy();
  if (answer === "close") return void incoming.socket.destroy();
  const {
    status,
    headers = {},
    body = "",
  } = typeof answer === "number" ? { status: answer } : answer;
  response.writeHead(status, headers).end(body);
}
