import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestApp, type TestApp } from "../support/app.ts";
import { type BareSocket, openTail } from "../support/bare-socket.ts";
import { type Enqueued, enqueue, untilEnded, untilExecution } from "../support/client.ts";
import { startFaultProxy } from "../support/fault-proxy.ts";
import { startScriptedFarm } from "../support/scripted-docker/farm.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const shell = async (task: string, script: string, url = app.url) =>
  await enqueue(url, task, { command: ["sh", "-c", script] });
const nameOf = ({ taskId, executionId }: Enqueued) => `${taskId} ${executionId.slice(0, 8)} | `;
/** What a reader was told of an execution, without the names. */
const toldOf = (client: BareSocket, made: Enqueued) =>
  client
    .text()
    .split(/(?<=\n)/)
    .flatMap((line) => (line.startsWith(nameOf(made)) ? [line.slice(nameOf(made).length)] : []))
    .join("");
const framesOf = (client: BareSocket) => client.messages.map((message) => JSON.parse(message));
/** Says that it runs, and a last word when it is stopped. */
const WAITING = 'trap "echo stopped; exit" TERM; echo runs; while :; do sleep 0.1; done';

test("a tail has the lines of all that fits, whole and each with its name, from the first to one without an end", async () => {
  using client = await openTail(app.url, { match: "^reports-[ab]$" });
  const long = "head -c 200000 /dev/zero | tr '\\0' ";
  const script = (letter: string) =>
    `for i in 1 2 3; do ${long}${letter}; echo; printf '\\033[1mä\\r${letter}\\n'; done; printf "no end"`;

  const a = await shell("reports-a", script("a"));
  const b = await shell("reports-b", script("b"));
  const other = await shell("reports-c", "echo other");
  const short = await shell("reports-a", "echo one; echo two >&2");
  await client.until(() => [a, b].every((made) => toldOf(client, made).endsWith("no end\n")));
  await client.until(() => toldOf(client, short).length === 8);

  for (const [made, letter] of [
    [a, "a"],
    [b, "b"],
  ] as const) {
    // A line of 200,000 characters comes in pieces.
    const told = toldOf(client, made).replaceAll(`${letter}\n`, letter);
    const once = `${letter.repeat(200_000)}\x1b[1mä\r${letter}`;
    expect(told).toBe(`${once.repeat(3)}no end\n`.replaceAll(`${letter}\n`, letter));
  }
  expect(toldOf(client, short).split("\n").sort()).toEqual(["", "one", "two"]);
  expect(toldOf(client, other)).toBe("");
  const lines = client.text().split("\n");
  expect(lines.filter((line) => !/^reports-[ab] [0-9a-f]{8} \| /.test(line))).toEqual([""]);
});

test("what runs already is told from then on, and the beginning and end of each are told as JSON", async () => {
  using first = await openTail(app.url, { task: "early", format: "json" });
  const early = await shell("early", WAITING);
  await first.until(() => framesOf(first).some(({ data }) => data === "runs\n"));
  using second = await openTail(app.url, { task: "early", format: "json" });

  await fetch(`${early.executionUrl}stop/`, { method: "POST" });
  const late = await shell("early", "echo late; exit 3");
  const ended = (id: string) => (client: BareSocket) =>
    framesOf(client).some(({ execution, ended: end }) => execution === id && end !== undefined);
  for (const made of [early, late]) {
    await first.until(ended(made.executionId));
    await second.until(ended(made.executionId));
  }

  const { metadata } = await untilEnded(late);
  const of = (made: Enqueued) => ({
    task: "early",
    job: made.jobId,
    execution: made.executionId,
    host: metadata.docker_host,
  });
  const whole = (made: Enqueued) => framesOf(second).filter(({ job }) => job === made.jobId);
  expect(whole(early)).toEqual([
    { ...of(early), began: true },
    { ...of(early), seq: 2, stream: "stdout", at: expect.any(String), data: "stopped\n" },
    { ...of(early), ended: "stopped" },
  ]);
  expect(whole(late)).toMatchObject([
    { began: true },
    { seq: 1, data: "late\n" },
    { ended: "failed" },
  ]);
  const toFirst = framesOf(first).filter(({ job, data }) => job === early.jobId && data);
  expect(toFirst.map(({ data }) => data)).toEqual(["runs\n", "stopped\n"]);
});

test("a tail of a host has what runs there, and of a stream what is in it", async () => {
  await using farm = await startScriptedFarm(2);
  const [one = "", two = ""] = farm.hosts;
  await farm.addImages(["busybox:latest"]);
  await using scripted = await startTestApp({
    config: {
      dockerHosts: [
        { match: "^one$", hosts: [one], maxRunning: 20 },
        { match: "", hosts: [two], maxRunning: 20 },
      ],
    },
  });
  using ofHost = await openTail(scripted.url, { host: two });
  using ofStream = await openTail(scripted.url, { stream: "stderr" });

  const there = await shell("one", "echo one; echo err >&2", scripted.url);
  const here = await shell("two", "echo two", scripted.url);
  await ofHost.until(() => toldOf(ofHost, here) === "two\n");
  await ofStream.until(() => toldOf(ofStream, there) === "err\n");

  expect(ofHost.text()).toBe(`${nameOf(here)}two\n`);
  expect(ofStream.text()).toBe(`${nameOf(there)}err\n`);
});

test("a reader that stalls is told how many lines it missed, and another one has them all", async () => {
  const count = 600_000;
  const isOver = ({ messages }: BareSocket) => messages.at(-1)?.includes("the end") === true;
  using stalled = await openTail(app.url, { task: "flood" }, { paused: true });
  using quick = await openTail(app.url, { task: "flood" });
  const made = await shell("flood", `seq ${count}; echo the end`);
  await quick.until(() => isOver(quick), 100_000);

  stalled.resume();
  await stalled.until(() => isOver(stalled), 100_000);

  const all = Array.from({ length: count }, (_, i) => `${i + 1}\n`).join("");
  expect(toldOf(quick, made) === `${all}the end\n`).toBe(true);
  expect(quick.text()).not.toContain("[fastlane");
  const lines = stalled.text().trimEnd().split("\n");
  const missed = lines.flatMap((line, at) => {
    const [, number] = /^\[fastlane: (\d+) lines missed here\]$/.exec(line) ?? [];
    return number === undefined ? [] : [{ at, number: Number(number) }];
  });
  const sum = missed.reduce((total, { number }) => total + number, 0);
  expect(lines.length - missed.length + sum).toBe(count + 1);
  expect(sum).toBeGreaterThan(0);
  // In their place: each tells the distance of the lines around it.
  const numberAt = (at: number) => Number(lines[at]?.split("| ")[1]);
  for (const { at, number } of missed) expect(numberAt(at + 1) - numberAt(at - 1)).toBe(number + 1);
}, 200_000);

test("a tail outlives an absence of Postgres, and then has what was written meanwhile", async () => {
  const { hostname, port } = new URL(app.database.url);
  await using proxy = await startFaultProxy({ target: { host: hostname, port: Number(port) } });
  const config = { databaseUrl: proxy.url(app.database.url) };
  const roles = { api: true, worker: false };
  await using cut = await startTestApp({ database: app.database, config, roles });
  const made = await shell("cut", WAITING);
  await untilExecution(made, ({ log }) => log !== "");
  using client = await openTail(cut.url, { task: "cut" });

  await proxy.set("refuse");
  proxy.cut();
  using during = await openTail(cut.url, {});
  await fetch(`${made.executionUrl}stop/`, { method: "POST" });
  await untilEnded(made);
  const short = await shell("cut", "echo short");
  await untilEnded(short);
  await proxy.set("pass");
  await client.until(() => toldOf(client, made) === "stopped\n");
  await client.until(() => toldOf(client, short) === "short\n");

  const late = await shell("cut", "echo late");
  await client.until(() => toldOf(client, late) === "late\n");
  expect(during.status).toBe(503);
});

test("a server that stops closes a tail with retry", async () => {
  const database = app.database;
  const stopping = await startTestApp({ database, roles: { api: true, worker: false } });
  using client = await openTail(stopping.url, {});

  await stopping[Symbol.asyncDispose]();

  expect(await client.closed).toEqual([1012, "retry"]);
  expect(stopping.complaints).toEqual([]);
});

test.each([
  [{ match: "(" }, '"match" is no regular expression: parentheses () not balanced'],
  [
    { match: "^(a*)(a*)(a*)(a*)\\1\\2\\3\\4a$" },
    '"match" takes too long to be held against a task id',
  ],
  [{ match: "a\0" }, '"match" must not have a NUL character'],
  [{ format: "xml" }, '"format" must be text or json'],
  [{ stream: "stdin" }, '"stream" must be stdout, stderr or pull'],
])("a tail by %p is refused in a sentence", async (query: Record<string, string>, error) => {
  const url = `${app.url}/tail/ws/?${new URLSearchParams(query)}`;

  const answer = await fetch(url, { headers: { upgrade: "websocket" } });

  expect([answer.status, await answer.json()]).toEqual([400, { error, operation: "tailSocket" }]);
});

test("an expression that would go back and forth for ever elsewhere is taken, and holds up nobody", async () => {
  using client = await openTail(app.url, { match: "^(a+)+b$" });
  const task = "a".repeat(200);
  const made = await shell(task, "echo unseen");
  const fitting = await shell(`${"a".repeat(50)}b`, "echo seen");

  await client.until(() => toldOf(client, fitting) === "seen\n");

  await untilExecution(made, ({ status }) => status === "done");
  expect(client.text()).toBe(`${nameOf(fitting)}seen\n`);
});

test("an expression that turns out to be too slow ends its own tail and no other", async () => {
  using slow = await openTail(app.url, { match: "^(b*)(b*)(b*)(b*)\\1\\2\\3\\4b$" });
  using other = await openTail(app.url, { match: "^b" });

  const made = await shell("b".repeat(200), "echo seen");

  expect(await slow.closed).toEqual([1008, "refused"]);
  await other.until(() => toldOf(other, made) === "seen\n");
});

test("a page of another origin opens no tail unless it is let in", async () => {
  const corsOrigins = ["https://ops.example"];
  await using open = await startTestApp({
    database: app.database,
    config: { corsOrigins },
    roles: { api: true, worker: false },
  });

  const statusOf = async (url: string, origin: string) => {
    using client = await openTail(url, {}, { headers: [`Origin: ${origin}`] });
    return client.status;
  };

  expect(await statusOf(app.url, app.url)).toBe(101);
  expect(await statusOf(app.url, "https://ops.example")).toBe(403);
  expect(await statusOf(app.url, "null")).toBe(403);
  expect(await statusOf(open.url, "https://ops.example")).toBe(101);
  expect(await statusOf(open.url, "https://evil.example")).toBe(403);
  const plain = await fetch(`${app.url}/tail/ws/`);
  expect([plain.status, await plain.json()]).toMatchObject([426, { operation: "tailSocket" }]);
});
