import { heapStats } from "bun:jsc";
import { expect, test } from "bun:test";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { bodyOf, unlessAborted } from "../../src/http/text-body.ts";
import { eventually } from "../support/client.ts";

const PART = "x".repeat(64 * 1024);

const faults: Record<string, unknown>[] = [];
const log = { debug() {}, error: (fields: Record<string, unknown>) => faults.push(fields) };

/** Serves bodies that are made anew for each request, from its signal. */
function serve(parts: (signal: AbortSignal) => AsyncGenerator<string>) {
  const server = Bun.serve({
    port: 0,
    fetch: ({ signal }) => new Response(bodyOf({ log }, parts(signal))),
  });
  return { server, [Symbol.asyncDispose]: () => server.stop(true) };
}

test("nothing is made for a client that does not read, and a client that is gone ends it", async () => {
  const seen = { made: 0, isOver: false };
  await using body = serve(async function* () {
    try {
      for (; ; seen.made++) yield PART;
    } finally {
      seen.isOver = true;
    }
  });
  const socket = connect(body.server.port ?? 0, "127.0.0.1");
  socket.pause();
  socket.write(`GET / HTTP/1.1\r\nHost: ${body.server.url.host}\r\n\r\n`);

  const made = await eventually(
    async () => {
      const before = seen.made;
      await delay(200);
      return before > 0 && before === seen.made ? before : undefined;
    },
    () => "parts are made without an end",
  );

  // What the connection itself holds.
  expect(made * PART.length).toBeLessThan(32 * 1024 * 1024);
  expect(seen.isOver).toBe(false);
  socket.destroy();
  await eventually(
    () => seen.isOver || undefined,
    () => "nobody has noticed that the client is gone",
  );
});

test("a body whose parts wait ends at once when the server stops, and ends whole", async () => {
  const stopping = new AbortController();
  await using body = serve(async function* (signal) {
    yield PART;
    await unlessAborted(new Promise(() => {}), AbortSignal.any([stopping.signal, signal]));
  });
  const answer = await fetch(body.server.url);

  stopping.abort();

  expect(await answer.text()).toBe(PART);
});

test("a body whose parts fail breaks off, and the log tells why", async () => {
  await using body = serve(async function* () {
    yield PART;
    throw new Error("the store is away");
  });
  const answer = await fetch(body.server.url);

  await expect(answer.text()).rejects.toMatchObject({ code: "ECONNRESET" });
  expect(faults).toEqual([{ error: "the store is away" }]);
});

test("of bodies that have ended nothing is left while the server goes on", async () => {
  const stopping = new AbortController();
  await using body = serve(async function* (signal) {
    const part = Promise.resolve(PART);
    yield (await unlessAborted(part, AbortSignal.any([stopping.signal, signal]))) ?? "";
  });

  // Other tests of this process have made some, too.
  const before = signalsKept();
  for (let bodies = 0; bodies < 300; bodies++) await (await fetch(body.server.url)).text();

  await eventually(
    () => signalsKept() - before < 100 || undefined,
    () => `their signals are kept: ${signalsKept()}, and before ${before}`,
  );
});

function signalsKept(): number {
  Bun.gc(true);
  return heapStats().objectTypeCounts["AbortSignal"] ?? 0;
}
