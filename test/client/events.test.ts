import { expect, test } from "bun:test";
import { createClient } from "../../src/client/client.ts";
import { createEventReader } from "../../src/client/event-blocks.ts";
import { type ExecutionEvent, followExecution } from "../../src/client/events.ts";

const STREAMS = ["stdout", "stderr"] as const;
const RUNNING = {
  executionId: "e",
  status: "running",
  exitCode: null,
  failureCause: null,
  message: null,
};
const ENDED = { ...RUNNING, status: "done", exitCode: 0 };
const told = (name: string, data: unknown) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const frame = (seq: number) =>
  told("log", { seq, stream: "stdout", at: "2030-01-01T00:00:00.000Z", data: `${seq}\n` });

/** A server that answers one connection after the other so. */
function serve(...answers: (string | number)[]) {
  const places: (string | null)[] = [];
  const server = Bun.serve({
    port: 0,
    fetch(request) {
      places.push(request.headers.get("last-event-id"));
      const answer = answers.shift() ?? 404;
      if (typeof answer === "number")
        return Response.json({ error: "No", operation: "x" }, { status: answer });
      return new Response(answer, { headers: { "content-type": "text/event-stream" } });
    },
  });
  const url = server.url.href.replace(/\/$/, "");
  const client = createClient({
    url,
    authorization: null,
    ca: null,
    proxyFor: () => null,
    version: "test",
  });
  return { client, places, [Symbol.asyncDispose]: () => server.stop(true) };
}

test("a log that breaks off, and a server that is away, cost nothing and repeat nothing", async () => {
  await using server = serve(
    told("status", { status: RUNNING }) + frame(1) + frame(2) + frame(3).slice(0, 20),
    503,
    frame(2) + frame(3) + told("gap", { seq: 9, gap: { frames: 6 } }),
    `:\n\n${told("later", {})}${frame(10)}${told("done", { status: ENDED })}`,
  );
  const events: ExecutionEvent[] = [];
  const said: string[] = [];

  const following = followExecution(server.client, "/x/", {
    streams: STREAMS,
    onAway: () => said.push("away"),
    onBack: () => said.push("back"),
  });
  for await (const group of following) events.push(...group);

  const names = events.map((event) => ("seq" in event ? `${event.seq}` : event.kind));
  expect(names).toEqual(["status", "1", "2", "3", "9", "10", "done"]);
  expect(server.places).toEqual(["0", "2", "2", "9"]);
  expect(said).toEqual(["away", "back", "away", "back"]);
});

test.each([401, 403, 404])("an answer %d ends it", async (status) => {
  await using server = serve(frame(1), status);

  const following = followExecution(server.client, "/x/", { streams: STREAMS });

  await expect(Array.fromAsync(following)).rejects.toMatchObject({ status });
});

test("events are read wherever their bytes are parted", () => {
  const bytes = new TextEncoder().encode(
    `: hello\r\n\r\n${frame(1)}event: x\ndata: ä\ndata: b\n\ndata: half`,
  );
  const read = createEventReader();

  const events = Array.from(bytes, (byte) => read(Uint8Array.of(byte))).flat();

  expect(events).toEqual([
    { name: "log", data: expect.stringContaining('"seq":1') },
    { name: "x", data: "ä\nb" },
  ]);
});
