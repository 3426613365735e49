import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { startTestApp, type TestApp } from "../support/app.ts";
import { type Enqueued, enqueue, eventually, untilEnded } from "../support/client.ts";
import { testEngine } from "../support/engine.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

/** Runs a script of busybox sh to its end. */
async function run(script: string): Promise<Enqueued> {
  const job = await enqueue(app.url, "logs", { command: ["sh", "-c", script] });
  await untilEnded(job);
  return job;
}

async function bytesOf({ jobUrl }: Enqueued, stream: "stdout" | "stderr"): Promise<Uint8Array> {
  return await (await fetch(`${jobUrl}/${stream}/`)).bytes();
}

const lines = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `${from + i}\n`).join("");

test("3 MB of random bytes, most of them not UTF-8, come back byte for byte", async () => {
  const job = await run(
    "head -c 3000000 /dev/urandom > /tmp/x; sha256sum /tmp/x | cut -c1-64 >&2; cat /tmp/x",
  );

  const stdout = await bytesOf(job, "stdout");

  expect(stdout.length).toBe(3_000_000);
  const sum = new TextDecoder().decode(await bytesOf(job, "stderr"));
  expect(createHash("sha256").update(stdout).digest("hex")).toBe(sum.trim());
});

test("a line of 1 MB stays one line", async () => {
  const job = await run("head -c 1000000 /dev/zero | tr '\\0' x; echo; echo next");

  const stdout = new TextDecoder().decode(await bytesOf(job, "stdout"));

  expect(stdout).toBe(`${"x".repeat(1_000_000)}\nnext\n`);
});

test("100,000 lines printed at once are all there, in their order", async () => {
  const job = await run("seq 1 100000");

  const stdout = new TextDecoder().decode(await bytesOf(job, "stdout"));

  expect(stdout).toBe(lines(1, 100_000));
});

test("output that comes in bursts, with pauses longer than a second, has no gap and no repeat", async () => {
  const job = await run("for i in 0 1 2; do seq $((i*5000+1)) $((i*5000+5000)); sleep 1.2; done");

  const stdout = new TextDecoder().decode(await bytesOf(job, "stdout"));

  expect(stdout).toBe(lines(1, 15_000));
});

test.each([
  ["40,000 bytes and a newline", "head -c 40000 /dev/zero | tr '\\0' x; echo", 40_000, "\n"],
  ["40,000 bytes without one", "head -c 40000 /dev/zero | tr '\\0' x", 40_000, ""],
  ["two parts of 16 KiB and a newline", "head -c 32768 /dev/zero | tr '\\0' x; echo", 32_768, "\n"],
  ["two parts of 16 KiB without one", "head -c 32768 /dev/zero | tr '\\0' x", 32_768, ""],
])("a log whose last line is %s ends as the container ended it", async (_, script, length, end) => {
  const job = await run(script);

  const stdout = new TextDecoder().decode(await bytesOf(job, "stdout"));

  expect(stdout).toBe("x".repeat(length) + end);
});

test.each([
  ["no output at all", "true", "", ""],
  ["output without a final newline", "printf tail; printf end >&2", "tail", "end"],
  ["an unended rest after whole lines", "echo one; printf two", "one\ntwo", ""],
  ["NUL bytes and empty lines", "printf 'a\\0b\\n\\n\\n'", "a\0b\n\n\n", ""],
  ["one byte", "printf x", "x", ""],
])("%s comes back as it was", async (_, script, stdout, stderr) => {
  const job = await run(script);

  expect(new TextDecoder().decode(await bytesOf(job, "stdout"))).toBe(stdout);
  expect(new TextDecoder().decode(await bytesOf(job, "stderr"))).toBe(stderr);
});

test("the unended end of a log is never lost, 25 times in a row", async () => {
  const jobs = await Promise.all(
    Array.from({ length: 25 }, (_, i) =>
      enqueue(app.url, "logs", { command: ["sh", "-c", `echo begin ${i}; printf end-${i}`] }),
    ),
  );

  const ended = await Promise.all(jobs.map((job) => untilEnded(job)));

  expect(ended.map(({ log }) => log)).toEqual(jobs.map((_, i) => `begin ${i}\nend-${i}`));
});

test("what has been written so far can be read while the execution runs", async () => {
  const job = await enqueue(app.url, "logs", {
    command: ["sh", "-c", "echo early; while [ ! -e /tmp/go ]; do sleep 0.05; done"],
  });

  const stdout = await untilText(job, "early\n");

  expect(stdout).toBe("early\n");
  await release(job);
  expect((await untilEnded(job)).log).toBe("early\n");
});

async function untilText(job: Enqueued, wanted: string): Promise<string> {
  return await eventually(
    async () => {
      const text = new TextDecoder().decode(await bytesOf(job, "stdout"));
      return text === wanted ? text : undefined;
    },
    () => "the text was not there",
  );
}

async function release({ executionId }: Enqueued): Promise<void> {
  const { docker } = await testEngine();
  const container = docker.getContainer(`fastlane-job-${executionId}`);
  const exec = await container.exec({ Cmd: ["touch", "/tmp/go"] });
  await exec.start({});
}
