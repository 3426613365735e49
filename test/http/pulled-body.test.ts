import { heapStats } from "bun:jsc";
import { expect, test } from "bun:test";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { pulledBody } from "../../src/http/pulled-body.ts";
import { eventually } from "../support/client.ts";

const PART = "x".repeat(64 * 1024);

/** Serves bodies without an end, and tells what became of the last one. */
function endless() {
  const over = new AbortController();
  const seen = { made: 0, isOver: false };
  async function* parts(signal: AbortSignal) {
    signal.addEventListener("abort", () => {
      seen.isOver = true;
    });
    for (; !signal.aborted; seen.made++) yield PART;
  }
  const server = Bun.serve({
    port: 0,
    fetch: () => new Response(pulledBody(parts, over.signal)),
  });
  return { server, seen, over, [Symbol.asyncDispose]: () => server.stop(true) };
}

test("nothing is made for a client that does not read, and a client that is gone ends it", async () => {
  await using body = endless();
  const socket = connect(body.server.port ?? 0, "127.0.0.1");
  socket.pause();
  socket.write(`GET / HTTP/1.1\r\nHost: ${body.server.url.host}\r\n\r\n`);

  const made = await eventually(
    async () => {
      const before = body.seen.made;
      await delay(200);
      return before > 0 && before === body.seen.made ? before : undefined;
    },
    () => "parts are made without an end",
  );

  // What the connection itself holds.
  expect(made * PART.length).toBeLessThan(32 * 1024 * 1024);
  expect(body.seen.isOver).toBe(false);
  socket.destroy();
  await eventually(
    () => body.seen.isOver || undefined,
    () => "nobody has noticed that the client is gone",
  );
});

test("a body that is over ends at once, and ends whole", async () => {
  await using body = endless();
  const reader = (await fetch(body.server.url)).body?.getReader();
  const { value } = (await reader?.read()) ?? {};

  body.over.abort();

  let done = false;
  while (!done) ({ done = true } = (await reader?.read()) ?? {});
  expect(value?.length).toBeGreaterThan(0);
  expect(body.seen.isOver).toBe(true);
});

test("of bodies that have ended nothing is left while the server goes on", async () => {
  const stopping = new AbortController();
  async function* parts() {
    yield PART;
  }
  const server = Bun.serve({
    port: 0,
    fetch: ({ signal }) =>
      new Response(pulledBody(parts, AbortSignal.any([stopping.signal, signal]))),
  });
  await using _ = { [Symbol.asyncDispose]: () => server.stop(true) };

  for (let body = 0; body < 300; body++) await (await fetch(server.url)).text();

  await eventually(
    () => {
      Bun.gc(true);
      return (heapStats().objectTypeCounts["AbortSignal"] ?? 0) < 100 || undefined;
    },
    () => "their signals are kept",
  );
});
