import { expect, test } from "bun:test";
import { SOCKETS, type SocketData, socketData } from "../../src/http/bun-sockets.ts";
import type { Socket, SocketHandler } from "../../src/http/socket.ts";
import { openStalledSocket } from "../support/bare-socket.ts";
import { openSocket } from "../support/log-socket.ts";

/** The least for which Bun has a timer of its own. */
const IDLE_SECONDS = 8;
const MESSAGE = "x".repeat(32 * 1024);

function serve(handler: SocketHandler) {
  const server = Bun.serve<SocketData>({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, bun) =>
      bun.upgrade(request, { data: socketData(handler) }) ? undefined : new Response(),
    websocket: { ...SOCKETS, idleTimeout: IDLE_SECONDS },
  });
  return {
    url: `ws://127.0.0.1:${server.port}/`,
    [Symbol.asyncDispose]: async () => await server.stop(true),
  };
}

test("a client that answers no ping is noticed, and one that does is kept", async () => {
  const sockets: Socket[] = [];
  await using server = serve((socket) => sockets.push(socket));
  using well = openSocket(server.url);
  await well.opened;
  using _ = await openStalledSocket(server.url);
  const [ofWell, ofStalled] = sockets;

  await new Promise((resolve) => ofStalled?.closed.addEventListener("abort", resolve));

  expect(ofStalled?.closed.aborted).toBe(true);
  expect(ofWell?.closed.aborted).toBe(false);
});

test("a socket that is full says so after one message, and drains when it is read", async () => {
  const opened = Promise.withResolvers<Socket>();
  await using server = serve((socket) => opened.resolve(socket));
  using stalled = await openStalledSocket(server.url);
  const socket = await opened.promise;

  let sent = 1;
  while (socket.send(MESSAGE)) sent += 1;
  const drained = socket.drained().then(() => socket.close(1000, "done"));
  const read = await stalled.readToEnd();
  await drained;

  expect(read.messages.length).toBe(sent);
  expect(read.closed).toEqual([1000, "done"]);
});

test("who waits for a socket to drain is not left waiting when it is closed", async () => {
  const opened = Promise.withResolvers<Socket>();
  await using server = serve((socket) => opened.resolve(socket));
  const stalled = await openStalledSocket(server.url);
  const socket = await opened.promise;
  while (socket.send(MESSAGE));
  const drained = socket.drained();

  stalled[Symbol.dispose]();
  await drained;

  expect(socket.closed.aborted).toBe(true);
  expect(socket.send(MESSAGE)).toBe(false);
});
