import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestApp, type TestApp } from "../support/app.ts";
import {
  enqueue,
  eventually,
  getExecution,
  untilEnded,
  untilExecution,
} from "../support/client.ts";
import { newReading, readEvents, textOf } from "../support/event-source.ts";
import { startFaultProxy } from "../support/fault-proxy.ts";
import { rawRequest } from "./request.ts";

const API_ONLY = { api: true, worker: false };
/** 12,000 lines in bursts, with characters of several bytes and carriage returns. */
const CHATTY =
  'for i in $(seq 150); do seq 80 | sed "s/^/$i ä→\\r/"; usleep 8000; done; printf "€ no end"';
const CHATTY_TEXT = `${Array.from({ length: 150 }, (_, i) =>
  Array.from({ length: 80 }, (_, j) => `${i + 1} ä→\r${j + 1}\n`).join(""),
).join("")}€ no end`;

let app: TestApp;
/** On the same database. */
let other: TestApp;
const disposals = new AsyncDisposableStack();

beforeAll(async () => {
  app = disposals.use(await startTestApp());
  other = disposals.use(await startTestApp({ database: app.database, roles: API_ONLY }));
});
afterAll(() => disposals.disposeAsync());

const shell = async (script: string) =>
  await enqueue(app.url, "events", { command: ["sh", "-c", script] });
const eventsOf = (to: TestApp, { executionUrl }: { executionUrl: string }, query = "") =>
  `${to.url}${new URL(executionUrl).pathname}events/${query}`;

test("a client that is cut off again and again has the whole log once, by either node", async () => {
  const made = await shell(CHATTY);
  const reading = newReading();

  let [status, connections] = [200, 0];
  while (status === 200) {
    const bytes = Math.ceil(Math.random() * 60_000);
    status = await readEvents(eventsOf(connections++ % 2 === 0 ? app : other, made), reading, {
      bytes,
    });
  }

  expect([status, reading.retryMs]).toEqual([204, 1_000]);
  expect(connections).toBeGreaterThan(20);
  expect(textOf(reading, "stdout")).toBe(CHATTY_TEXT);
  const numbers = reading.events.filter(({ type }) => type === "log").map(({ id }) => Number(id));
  expect(numbers.every((number, index) => number > (numbers[index - 1] ?? 0))).toBe(true);
  expect(reading.events.at(-1)).toMatchObject({ type: "done", id: "done" });
  const atOnce = newReading();
  await readEvents(eventsOf(app, made), atOnce);
  expect(textOf(atOnce, "stdout")).toBe(CHATTY_TEXT);
});

test("the state is told first, at each change and at the end, with the streams that are asked for", async () => {
  const made = await shell("echo out; echo err >&2; sleep 2; exit 3");
  const reading = newReading();

  await readEvents(eventsOf(app, made, "?stream=stderr"), reading);

  const told = reading.events
    .filter(({ type }) => type !== "log")
    .map(({ type, data }) => [type, JSON.parse(data).status]);
  expect(told[0]?.[0]).toBe("status");
  expect(told.map(([, state]) => state.status)).toContain("running");
  expect(told.at(-2)).toMatchObject(["status", { status: "failed", exitCode: 3 }]);
  expect(told.at(-1)).toMatchObject(["done", { status: "failed", failureCause: "exit_code" }]);
  expect([textOf(reading, "stdout"), textOf(reading, "stderr")]).toEqual(["", "err\n"]);
});

test("what is not UTF-8 comes byte for byte where that is asked for, in events and as ndjson", async () => {
  const made = await shell("printf 'ä\\377\\nplain ä\\n\\303'");
  await untilEnded(made);
  const reading = newReading();

  await readEvents(eventsOf(app, made, "?exact=true"), reading);
  const lines = await (await fetch(`${made.executionUrl}logs/?format=ndjson&exact=true`)).text();
  const refused = await fetch(`${made.executionUrl}logs/?exact=true`);

  const frames = [
    { seq: 1, base64: Buffer.from([0xc3, 0xa4, 0xff, 0x0a]).toString("base64") },
    { seq: 2, data: "plain ä\n" },
    { seq: 3, base64: "ww==" },
  ].map((frame) => expect.objectContaining(frame));
  const logs = reading.events.filter(({ type }) => type === "log");
  expect(logs.map(({ data }) => JSON.parse(data))).toEqual(frames);
  expect(
    lines
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toEqual(frames);
  expect(refused.status).toBe(400);
});

test("a client that had the last line and not the end is told the end, and then no more", async () => {
  const made = await shell("echo one; echo two");
  await untilEnded(made);
  const reading = { ...newReading(), lastId: "2" };

  const statuses = [];
  for (let round = 0; round < 2; round++) {
    statuses.push(await readEvents(eventsOf(app, made), reading));
  }

  expect(statuses).toEqual([200, 204]);
  expect(reading.events.map(({ type }) => type)).toEqual(["status", "done"]);
  const first = newReading();
  await readEvents(eventsOf(app, made, "?after=1"), first);
  expect(textOf(first, "stdout")).toBe("two\n");
});

test("a server that stops ends the answer, and the client goes on at another", async () => {
  const stopping = await startTestApp({ database: app.database, roles: API_ONLY });
  const made = await shell("trap exit TERM; echo before; while :; do sleep 0.1; done");
  const reading = newReading();
  const connection = readEvents(eventsOf(stopping, made), reading);
  await eventually(
    () => (textOf(reading, "stdout") === "before\n" ? true : undefined),
    () => "the first line has not come",
  );

  const begun = performance.now();
  await stopping[Symbol.asyncDispose]();
  await connection;
  const tookMs = performance.now() - begun;
  const further = readEvents(eventsOf(app, made), reading);
  await fetch(`${made.executionUrl}stop/`, { method: "POST" });
  await further;

  // After 3 s it would have been cut.
  expect(tookMs).toBeLessThan(3_000);
  expect(reading.events.filter(({ type }) => type === "done")).toHaveLength(1);
  expect(textOf(reading, "stdout")).toBe("before\n");
  expect(JSON.parse(reading.events.at(-1)?.data ?? "")).toMatchObject({
    status: { status: "stopped" },
  });
});

test("the answer begins at once, and nothing on the way may hold it back or keep it", async () => {
  const made = await shell("sleep 60");
  await untilExecution(made, ({ status }) => status === "running");

  const answer = await fetch(eventsOf(app, made), { headers: { "accept-encoding": "gzip" } });

  expect(Object.fromEntries(answer.headers)).toMatchObject({
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
  });
  expect(answer.headers.get("content-encoding")).toBeNull();
  const { value } = (await answer.body?.getReader().read()) ?? {};
  expect(new TextDecoder().decode(value)).toStartWith("retry: 1000\n\n");
  expect((await getExecution(made)).status).toBe("running");
  await fetch(`${made.executionUrl}stop/`, { method: "POST" });
});

test.each([
  ["?after=-1", {}, '"after" must be a whole number from 0 to 9007199254740991'],
  ["?stream=stdin", {}, '"stream" must be stdout, stderr or pull'],
  [
    "",
    { "last-event-id": "seven" },
    '"Last-Event-ID" must be a whole number from 0 to 9007199254740991',
  ],
])("a wrong %p %p is refused", async (query, headers, error) => {
  const made = await shell("true");

  const answer = await fetch(eventsOf(app, made, query), { headers });

  expect([answer.status, await answer.json()]).toEqual([
    400,
    { error, operation: "getExecutionEvents" },
  ]);
});

test("while Postgres is away a browser is told to come again, and everybody else why", async () => {
  const made = await shell("true");
  const { hostname, port } = new URL(app.database.url);
  await using proxy = await startFaultProxy({ target: { host: hostname, port: Number(port) } });
  const config = { databaseUrl: proxy.url(app.database.url) };
  await using cut = await startTestApp({ database: app.database, config, roles: API_ONLY });
  await proxy.set("refuse");
  proxy.cut();
  const reading = { ...newReading(), lastId: "1" };

  const status = await readEvents(eventsOf(cut, made), reading);
  const plain = await rawRequest(cut, `GET ${new URL(eventsOf(cut, made)).pathname}`);

  expect([status, reading.retryMs, reading.events]).toEqual([200, 1_000, []]);
  expect(plain.status).toBe(503);
});
