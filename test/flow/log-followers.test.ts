import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestApp, type TestApp } from "../support/app.ts";
import { type Enqueued, enqueue, untilEnded, untilExecution } from "../support/client.ts";
import { testEngine } from "../support/engine.ts";
import { framesOf, textOf } from "../support/log-socket.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const shell = (script: string) => ({ command: ["sh", "-c", script] });
/** Goes on when the test has written a file into its container. */
const until = (file: string) => `while [ ! -e /tmp/${file} ]; do sleep 0.02; done`;

async function tell({ executionId }: Enqueued, file: string): Promise<void> {
  const { docker } = await testEngine();
  const container = docker.getContainer(`fastlane-job-${executionId}`);
  const exec = await container.exec({ Cmd: ["touch", `/tmp/${file}`] });
  await exec.start({});
}

interface Follower extends AsyncDisposable {
  /** Resolves with what has come, as soon as it is as wanted. */
  until(isAsWanted: (text: string) => boolean): Promise<string>;
  /** Resolves with all at the end of the answer, and what curl says of it. */
  end(): Promise<{ bytes: Buffer; exitCode: number }>;
}

/** `curl -N`, which shows what comes at once. */
function follow(url: string): Follower {
  const curl = Bun.spawn(["curl", "-sS", "-N", url], { stdout: "pipe" });
  const parts: Uint8Array[] = [];
  const reader = curl.stdout.getReader();
  const readOne = async () => {
    const { value, done } = await reader.read();
    if (value !== undefined) parts.push(value);
    return !done;
  };
  const text = () => Buffer.concat(parts).toString();
  return {
    async until(isAsWanted) {
      while (!isAsWanted(text())) {
        if (!(await readOne())) throw new Error(`It ended with ${JSON.stringify(text())}`);
      }
      return text();
    },
    async end() {
      while (await readOne());
      return { bytes: Buffer.concat(parts), exitCode: await curl.exited };
    },
    async [Symbol.asyncDispose]() {
      curl.kill();
      await curl.exited;
    },
  };
}

test("each line is shown as soon as it is written", async () => {
  const job = await enqueue(
    app.url,
    "lines",
    shell(`echo one; ${until("a")}; echo two >&2; ${until("b")}; printf three`),
  );
  await using follower = follow(`${job.executionUrl}logs/?follow=true`);
  await using lines = follow(`${job.executionUrl}logs/?follow=true&format=ndjson`);

  const first = await follower.until((text) => text !== "");
  const firstLine = await lines.until((text) => text.endsWith("\n"));
  await tell(job, "a");
  const second = await follower.until((text) => text.length > first.length);
  await tell(job, "b");

  expect([first, second]).toEqual(["one\n", "one\ntwo\n"]);
  expect(JSON.parse(firstLine)).toMatchObject({ seq: 1, stream: "stdout", data: "one\n" });
  expect((await follower.end()).bytes.toString()).toBe("one\ntwo\nthree");
  const { bytes, exitCode } = await lines.end();
  expect(exitCode).toBe(0);
  expect(
    framesOf(bytes.toString().trimEnd().split("\n")).map(({ stream, data }) => [stream, data]),
  ).toEqual([
    ["stdout", "one\n"],
    ["stderr", "two\n"],
    ["stdout", "three"],
  ]);
});

test("a follower joins before the start, in the middle and after the end, and has all of it", async () => {
  await using waiting = await startTestApp({ roles: { api: true, worker: false } });
  const script = `seq 1 20000; ${until("go")}; seq 20001 40000; printf 'e\\303'; sleep 0.1; printf '\\251' >&2; printf '\\251nd'`;
  const job = await enqueue(waiting.url, "joins", shell(script));
  const url = `${job.executionUrl}stdout/?follow=true`;
  await using early = follow(url);
  await using earlyLines = follow(`${url}&format=ndjson`);

  await using working = await startTestApp({
    database: waiting.database,
    roles: { api: false, worker: true },
  });
  await early.until((text) => text.endsWith("\n20000\n"));
  await using late = follow(url);
  await using tail = follow(`${url}&tail=2`);
  await tail.until((text) => text.endsWith("20000\n"));
  await tell(job, "go");
  await untilEnded(job);
  await using after = follow(url);

  const numbers = Array.from({ length: 40_000 }, (_, i) => `${i + 1}\n`).join("");
  for (const follower of [early, late, after]) {
    expect((await follower.end()).bytes.toString()).toBe(`${numbers}eénd`);
  }
  expect((await tail.end()).bytes.toString()).toBe(
    `${numbers.slice(numbers.indexOf("19999\n"))}eénd`,
  );
  const { bytes } = await earlyLines.end();
  expect(textOf(framesOf(bytes.toString().trimEnd().split("\n")))).toBe(`${numbers}eénd`);
  expect(working.complaints).toEqual([]);
});

test("output that is binary is followed byte for byte, and read as text in ndjson", async () => {
  const job = await enqueue(
    app.url,
    "binary",
    shell("head -c 300000 /dev/urandom | tee /tmp/x; cat /tmp/x >&2"),
  );
  const [stdout, stderr, lines] = [
    "stdout/?",
    "stderr/?",
    "logs/?stream=stderr&format=ndjson&",
  ].map((path) => follow(`${job.executionUrl}${path}follow=true`).end());
  await untilEnded(job);

  const bytes = (await stdout)?.bytes ?? Buffer.of();
  const text = (await lines)?.bytes.toString() ?? "";

  expect(bytes.length).toBe(300_000);
  expect((await stderr)?.bytes.equals(bytes)).toBe(true);
  expect(textOf(framesOf(text.trimEnd().split("\n")), "stderr")).toBe(
    new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes),
  );
});

test("what is asked for without following is what is there, while it runs", async () => {
  const job = await enqueue(app.url, "now", shell(`seq 1 5; ${until("go")}`));
  await untilExecution(job, ({ log }) => log.endsWith("5\n"));

  const get = async (query: string) =>
    await (await fetch(`${job.executionUrl}logs/?${query}`)).text();
  const [whole, behind, last] = await Promise.all(
    ["", "&after=2", "&tail=1"].map((more) => get(`format=ndjson${more}`)),
  );

  const dataOf = (text = "") =>
    framesOf(text.trimEnd().split("\n")).reduce((all, { data }) => all + data, "");
  expect([whole, behind, last].map(dataOf)).toEqual(["1\n2\n3\n4\n5\n", "3\n4\n5\n", "5\n"]);
  expect(await get("format=ndjson&after=5")).toBe("");
  await tell(job, "go");
  await untilEnded(job);
});
