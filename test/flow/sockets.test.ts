import { afterAll, beforeAll, expect, test } from "bun:test";
import { setTimeout as delay } from "node:timers/promises";
import { startTestApp, type TestApp } from "../support/app.ts";
import { openStalledSocket } from "../support/bare-socket.ts";
import { type Enqueued, enqueue, untilEnded, untilExecution } from "../support/client.ts";
import { testEngine } from "../support/engine.ts";
import {
  framesOf,
  type LogSocket,
  openSocket,
  readSocket,
  socketUrl,
  textOf,
} from "../support/log-socket.ts";
import { startFastlane } from "../support/process.ts";
import { IS_ON_NODE } from "../support/start-app.ts";
import { migratedDatabase } from "../support/store.ts";

/** Ends at once when it is stopped. */
const SLEEPS = "trap exit TERM; while :; do sleep 0.05; done";
const STALL_MS = 30_000;

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const run = (script: string, more: Record<string, unknown> = {}) =>
  enqueue(app.url, "sockets", { command: ["sh", "-c", script], ...more });

/** Prints something, and then waits for a signal of `goOn`. */
const twoParts = (first: string, second: string) =>
  run(`trap '${second}; exit' USR1; ${first}; while :; do sleep 0.05; done`);

async function goOn({ executionId }: Enqueued): Promise<void> {
  const { docker } = await testEngine();
  await docker.getContainer(`fastlane-job-${executionId}`).kill({ signal: "USR1" });
}

const stdoutOf = async ({ executionUrl }: Enqueued) =>
  await (await fetch(`${executionUrl}stdout/`)).text();

test("a socket of an execution that waits stays open, and gets all from the first byte on", async () => {
  await using database = await migratedDatabase();
  await using front = await startTestApp({ database, roles: { api: true, worker: false } });
  const job = await enqueue(front.url, "t", { command: ["sh", "-c", "seq 1 1000; printf rest"] });
  using socket = openSocket(socketUrl(job.executionUrl, "?format=json"));
  await socket.opened;

  await using _ = await startTestApp({ database, roles: { api: false, worker: true } });

  expect(await socket.closed).toEqual([1000, "done"]);
  expect(textOf(framesOf(socket.messages))).toBe(await stdoutOf(job));
});

test("a socket of a running execution replays what was written, and goes on live", async () => {
  const job = await twoParts("echo one; echo two >&2", "echo three");
  await untilExecution(job, ({ log, error }) => log === "one\n" && error === "two\n");

  using socket = openSocket(socketUrl(job.executionUrl));
  await socket.until((messages) => messages.join("").length === 8);
  await goOn(job);

  expect(await socket.closed).toEqual([1000, "done"]);
  expect(socket.messages.join("").slice(0, 8).split("\n").sort()).toEqual(["", "one", "two"]);
  expect(socket.messages.join("").slice(8)).toBe("three\n");
});

test("a socket of an execution that has ended gives all of it, under both of its spellings", async () => {
  const job = await run("seq 1 20000; echo no end >&2; printf 'caf\\303'");
  await untilEnded(job);
  const singular = job.executionUrl.replace("/jobs/", "/job/");

  const read = [socketUrl(job.executionUrl), socketUrl(singular).slice(0, -1)].map(readSocket);

  for (const { messages, closed } of await Promise.all(read)) {
    expect(closed).toEqual([1000, "done"]);
    const text = messages.join("");
    expect(text.replace("no end\n", "")).toBe(await stdoutOf(job));
    expect(text).toContain("no end\n");
    expect(text.endsWith("caf\ufffd")).toBe(true);
  }
});

/** The sample of the API's reference, but for the URL. */
const SAMPLE = `
const connect = function() {
  const socket = new WebSocket(url);

  socket.onopen = function (event) {
    console.log('socket open, waiting for logs')
  };

  socket.onmessage = function (event) {
    console.log('Received log', event.data);
  };

  socket.onclose = function (event) {
    console.log('Socket closed');
    if (event.reason != 'done') {
      console.log('Trying again in 5s...');
      if (timeout !== null) {
        clearTimeout(timeout);
        timeout = null;
      }
      timeout = setTimeout(connect, 5000);
    }
  }
}

connect()
`;

test("the sample script of the reference shows the log, and does not try again after its end", async () => {
  const job = await run("echo one; echo two");
  const printed: string[][] = [];
  const over = Promise.withResolvers<void>();
  const log = (...words: string[]) => {
    printed.push(words);
    if (words[0] === "Socket closed") over.resolve();
  };
  const later = () => over.reject(new Error("it tries again"));

  const script = new Function("url", "console", "timeout", "setTimeout", SAMPLE);
  script(socketUrl(job.jobUrl).slice(0, -1), { log }, null, later);
  await over.promise;

  expect(printed[0]).toEqual(["socket open, waiting for logs"]);
  expect(printed.at(-1)).toEqual(["Socket closed"]);
  const logs = printed.flatMap(([what, data]) => (what === "Received log" ? [data] : []));
  expect(logs.join("")).toBe("one\ntwo\n");
});

test("a job's socket waits for the first execution, and follows the last", async () => {
  const later = await run("echo late", { startIn: "1s" });
  const retried = await run("echo first; exit 1");
  await untilEnded(retried);
  const again = await fetch(`${retried.jobUrl}/retry/`, { method: "POST" });

  using waiting = openSocket(socketUrl(later.jobUrl, "?format=json&status=true"));
  using last = openSocket(socketUrl(retried.jobUrl, "?format=json&status=true"));

  expect([await waiting.closed, await last.closed]).toEqual([
    [1000, "done"],
    [1000, "done"],
  ]);
  expect(textOf(framesOf(waiting.messages))).toBe("late\n");
  const { executionId }: Enqueued = JSON.parse(await again.text());
  expect(statusesOf(last).map((status) => status["executionId"])).toContain(executionId);
});

const statusesOf = ({ messages }: LogSocket): Record<string, unknown>[] =>
  messages.flatMap((message) => JSON.parse(message).status ?? []);

test("with status=true the execution's state comes first, at each change and at the end", async () => {
  const job = await twoParts("echo begun", "exit 3");
  using socket = openSocket(socketUrl(job.executionUrl, "?format=json&status=true"));
  await socket.until((messages) => messages.some((message) => message.includes('"running"')));
  await goOn(job);

  expect(await socket.closed).toEqual([1000, "done"]);
  const states = statusesOf(socket);
  expect(JSON.parse(socket.messages[0] ?? "")).toHaveProperty("status");
  expect(states.at(-1)).toMatchObject({ status: "failed", exitCode: 3, failureCause: "exit_code" });
  expect(states.at(-1)).toMatchObject({ logState: "complete", logBytes: 6, logLines: 1 });
  expect(states.map(({ status }) => status).slice(-2)).toEqual(["running", "failed"]);
});

test.each([
  ["stdout", ["out"]],
  ["stderr", ["err"]],
] as const)("?stream=%s gives that stream alone", async (stream, lines) => {
  const job = await run("echo out; echo err >&2");
  await untilEnded(job);

  const { messages } = await readSocket(socketUrl(job.executionUrl, `?stream=${stream}`));

  expect(messages.join("")).toBe(`${lines.join("\n")}\n`);
});

test("with batch=true a message is an array of frames, and several streams can be named", async () => {
  const job = await run("seq 1 5000; echo err >&2", { pullPolicy: "missing" });
  await untilEnded(job);
  const streams = "stream=stdout&stream=stderr&stream=pull";

  const { messages } = await readSocket(
    socketUrl(job.executionUrl, `?format=json&batch=true&${streams}`),
  );

  const frames = messages.flatMap((message) => JSON.parse(message));
  expect(messages.length).toBeLessThan(100);
  expect(textOf(frames)).toBe(await stdoutOf(job));
  expect(textOf(frames, "stderr")).toBe("err\n");
});

test("who comes again a hundred times with what it had last gets every byte once", async () => {
  // Docker cuts the long line into parts of 16 KiB, and characters of four bytes in two.
  const long = "printf x; head -c 20000 /dev/zero | tr '\\0' e | sed 's/e/\u{1f600}/g'; echo";
  const burst = "seq $((i*100+1)) $((i*100+100)); sleep 0.03";
  const script = `${long}; i=0; while [ $i -lt 150 ]; do ${burst}; i=$((i+1)); done; ${long}; printf end`;
  const job = await run(script);
  const text: string[] = [];
  let after = 0;

  for (let visit = 0; visit < 100; visit++) {
    using socket = openSocket(socketUrl(job.executionUrl, `?format=json&after=${after}`));
    const wanted = 1 + Math.floor(Math.random() * 200);
    await Promise.race([socket.until(({ length }) => length >= wanted), socket.closed]).catch(
      () => {},
    );
    // What came beyond that counts too, as it does for whoever is cut off.
    const frames = framesOf(socket.messages);
    text.push(textOf(frames));
    after = frames.at(-1)?.seq ?? after;
  }
  const rest = await readSocket(socketUrl(job.executionUrl, `?format=json&after=${after}`));
  text.push(textOf(framesOf(rest.messages)));

  expect(rest.closed).toEqual([1000, "done"]);
  expect(text.join("")).toBe(await stdoutOf(job));
  expect(text.join("")).toContain("\u{1f600}");
});

test("when the node that streams is killed, another goes on where it was", async () => {
  await using database = await migratedDatabase();
  const { host } = await testEngine();
  const environment = {
    DATABASE_URL: database.url,
    FASTLANE_DOCKER_HOSTS: JSON.stringify([{ hosts: [host] }]),
  };
  await using _ = await startTestApp({ database, roles: { api: false, worker: true } });
  await using other = await startFastlane({ command: "api", environment });
  await using first = await startFastlane({ command: "api", environment });
  const script = "for i in $(seq 1 60); do seq $((i*50)) $((i*50+49)); sleep 0.05; done";
  const job = await enqueue(first.url, "t", { command: ["sh", "-c", script] });
  using cut = openSocket(socketUrl(job.executionUrl, "?format=json"));
  await cut.until(({ length }) => length >= 500);

  await first.end("SIGKILL");
  const [code] = await cut.closed;
  const frames = framesOf(cut.messages);
  const moved = job.executionUrl.replace(first.url, other.url);
  const rest = await readSocket(socketUrl(moved, `?format=json&after=${frames.at(-1)?.seq}`));

  expect([code, rest.closed]).toEqual([1006, [1000, "done"]]);
  expect(textOf([...frames, ...framesOf(rest.messages)])).toBe(
    Array.from({ length: 3000 }, (_, i) => `${i + 50}\n`).join(""),
  );
});

test("a node that stops closes its sockets with the reason retry", async () => {
  await using database = await migratedDatabase();
  const leaving = await startTestApp({ database });
  const job = await enqueue(leaving.url, "t", { command: ["sh", "-c", SLEEPS] });
  using ofExecution = openSocket(socketUrl(job.executionUrl));
  using ofJob = openSocket(socketUrl(job.jobUrl, "?format=json"));
  await Promise.all([ofExecution.opened, ofJob.opened]);

  await leaving[Symbol.asyncDispose]();

  expect((await ofExecution.closed)[1]).toBe("retry");
  expect((await ofJob.closed)[1]).toBe("retry");
  await using next = await startTestApp({ database });
  await fetch(`${job.jobUrl.replace(leaving.url, next.url)}/stop/`, { method: "POST" });
  await untilEnded({ ...job, executionUrl: job.executionUrl.replace(leaving.url, next.url) });
});

// Far more than the buffers between the two take; Node needs some times as long for each line.
const MANY_LINES = IS_ON_NODE ? 1_000_000 : 3_000_000;

test("a reader that stalls for 30 s holds nobody up, and then gets all", async () => {
  const job = await run(`seq 1 ${MANY_LINES}`);
  using stalled = await openStalledSocket(socketUrl(job.executionUrl));
  const began = performance.now();

  const { messages } = await readSocket(socketUrl(job.executionUrl));
  const withoutStall = performance.now() - began;
  await delay(Math.max(0, STALL_MS - withoutStall));
  const late = await stalled.readToEnd();

  const text = await stdoutOf(job);
  expect(text.endsWith(`\n${MANY_LINES}\n`)).toBe(true);
  expect(messages.join("") === text).toBe(true);
  expect(late.closed).toEqual([1000, "done"]);
  expect(late.messages.join("") === text).toBe(true);
});

const UNKNOWN = crypto.randomUUID();

test.each([
  [`executions/${UNKNOWN}/ws/`, 404, `has no execution "${UNKNOWN}"`],
  ["ws/?format=xml", 400, '"format" must be text or json'],
  ["ws/?after=3", 400, '"after", "batch" and "status" go with "format=json" alone'],
  ["ws/?format=json&after=-1", 400, '"after" must be a whole number from 0 to'],
  ["ws/?stream=stdin", 400, '"stream" must be stdout, stderr or pull'],
] as const)("%s is refused with %i before there is a socket", async (path, status, sentence) => {
  const job = await run("true");

  const answer = await fetch(`${job.jobUrl}/${path}`, {
    headers: {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    },
  });

  expect([answer.status, await answer.json()]).toMatchObject([
    status,
    { error: expect.stringContaining(sentence) },
  ]);
});

test("a socket's URL that is asked for as a page says what it is", async () => {
  const job = await run("true");

  const answer = await fetch(`${job.jobUrl}/ws/`);

  expect(answer.status).toBe(426);
  expect(await answer.json()).toEqual({
    error: "This URL is a WebSocket: connect to it by ws: or wss:",
    operation: "jobSocket",
  });
});
