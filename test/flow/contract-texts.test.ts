import { afterAll, beforeAll, expect, test } from "bun:test";
import { getJson } from "../http/answers.ts";
import { errorOf } from "../http/request.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import { enqueue, getExecution, untilEnded, untilExecution } from "../support/client.ts";
import { testEngine } from "../support/engine.ts";

const KIB_64 = 64 * 1024;

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const textOf = async (url: string) => (await fetch(url)).text();
const shell = (script: string) => ({ command: ["sh", "-c", script] });
/** Goes on when the test writes a file into its container. */
const untilTold = "while [ ! -e /tmp/go ]; do sleep 0.05; done";

async function tellGo(executionId: string): Promise<void> {
  const { docker } = await testEngine();
  const container = docker.getContainer(`fastlane-job-${executionId}`);
  const exec = await container.exec({ Cmd: ["touch", "/tmp/go"] });
  await exec.start({});
}

test("logs in JSON: the last 64 KiB of each stream, marked as cut; text routes give all", async () => {
  const script =
    "yes 0123456789abcde | head -n 8192; yes fedcba987654321 | head -n 8192 >&2; echo end";
  const job = await enqueue(app.url, "long", shell(script));
  await untilEnded(job);

  const execution = await getExecution(job);
  const ofJob = (await getJson(job.jobUrl)).job.executions[0];
  const [stdout, stderr] = await Promise.all(
    ["stdout", "stderr"].map((stream) => textOf(`${job.executionUrl}${stream}/`)),
  );

  const all = `${"0123456789abcde\n".repeat(8192)}end\n`;
  expect(stdout).toBe(all);
  expect(stderr).toBe("fedcba987654321\n".repeat(8192));
  expect(execution.log).toBe(all.slice(-KIB_64));
  expect(execution.error).toBe("fedcba987654321\n".repeat(8192).slice(-KIB_64));
  expect([execution.logTruncated, ofJob.logTruncated]).toEqual([true, true]);
  expect([ofJob.log, ofJob.error]).toEqual([execution.log, execution.error]);
});

test("logs in JSON: what is not cut is not marked", async () => {
  const job = await enqueue(app.url, "short", shell("echo out; echo err >&2"));

  const ended = await untilEnded(job);

  expect(ended).toMatchObject({ log: "out\n", error: "err\n" });
  expect(Object.keys(ended)).not.toContain("logTruncated");
});

test("text routes (logs, stdout, stderr): plain text with the exit code, of job and execution", async () => {
  const job = await enqueue(app.url, "texts", shell("echo öut; echo err >&2; exit 7"));
  await untilEnded(job);

  for (const url of [job.executionUrl, `${job.jobUrl}/`]) {
    const answers = await Promise.all(
      ["logs", "stdout", "stderr"].map((stream) => fetch(`${url}${stream}/`)),
    );
    const texts = await Promise.all(answers.map((answer) => answer.text()));
    expect(texts).toEqual(["öut\n\n-=-\nerr\n", "öut\n", "err\n"]);
    for (const { headers } of answers) {
      expect(headers.get("content-type")).toBe("text/plain; charset=utf-8");
      expect(headers.get("fastlane-exit-code")).toBe("7");
    }
  }
});

test("text routes (logs, stdout, stderr): bytes that are no UTF-8 come as they were written", async () => {
  const job = await enqueue(app.url, "texts", shell("printf '\\377\\000\\376\\r\\n'"));
  await untilEnded(job);

  const answer = await fetch(`${job.executionUrl}stdout/`);

  expect([...(await answer.bytes())]).toEqual([0xff, 0x00, 0xfe, 0x0d, 0x0a]);
});

test("text routes (logs, stdout, stderr): what runs gives what it has written, no exit code", async () => {
  const job = await enqueue(app.url, "texts", shell(`echo begun; ${untilTold}; echo over`));
  await untilExecution(job, ({ log }) => log === "begun\n");

  const running = await fetch(`${job.jobUrl}/logs/`);
  await tellGo(job.executionId);
  await untilEnded(job);

  expect(await running.text()).toBe("begun\n\n-=-\n");
  expect(running.headers.get("fastlane-exit-code")).toBeNull();
  expect(await textOf(`${job.jobUrl}/logs/`)).toBe("begun\nover\n\n-=-\n");
});

test("text routes (logs, stdout, stderr): ?follow=true stays open until the end", async () => {
  const job = await enqueue(app.url, "texts", shell(`echo begun; ${untilTold}; echo err >&2`));
  await untilExecution(job, ({ log }) => log === "begun\n");
  const follow = (stream: string) => fetch(`${job.jobUrl}/${stream}/?follow=true`);
  const reader = (await follow("logs")).body?.getReader();
  const readText = async () => new TextDecoder().decode((await reader?.read())?.value);
  const first = await readText();
  const whole = ["stdout", "stderr"].map(async (stream) => (await follow(stream)).text());

  const winner = await Promise.race([...whole, Bun.sleep(300).then(() => "all are open")]);
  await tellGo(job.executionId);

  expect([first, winner]).toEqual(["begun\n", "all are open"]);
  expect([await readText(), (await reader?.read())?.done]).toEqual(["err\n", true]);
  expect(await Promise.all(whole)).toEqual(["begun\n", "err\n"]);
  expect((await getExecution(job)).status).toBe("done");
});

test("text routes (logs, stdout, stderr): ?follow=true on what has ended ends at once", async () => {
  const job = await enqueue(app.url, "texts", shell("echo out"));
  await untilEnded(job);

  const answer = await fetch(`${job.executionUrl}stdout?follow=true`);

  expect([answer.headers.get("fastlane-exit-code"), await answer.text()]).toEqual(["0", "out\n"]);
});

test.each([
  ["stdout", 1, "5\n"],
  ["stdout", 2, "4\n5\n"],
  ["stdout", 5, "1\n2\n3\n4\n5\n"],
  ["stdout", 9, "1\n2\n3\n4\n5\n"],
  ["stderr", 1, "unended"],
  ["stderr", 2, "a\nunended"],
  ["logs", 1, "5\n\n-=-\nunended"],
])("text routes (logs, stdout, stderr): %s?tail=%d gives the last lines", async (kind, n, text) => {
  const job = await enqueue(app.url, "tail", shell("seq 1 5; printf 'a\\nunended' >&2"));
  await untilEnded(job);

  expect(await textOf(`${job.executionUrl}${kind}/?tail=${n}`)).toBe(text);
  expect(await textOf(`${job.executionUrl}${kind}/?tail=${n}&follow=false`)).toBe(text);
});

test.each([["tail=0"], ["tail=-1"], ["tail=x"], ["tail="], ["follow=maybe"]])(
  "text routes (logs, stdout, stderr): ?%s is a 400 that names the key",
  async (query) => {
    const job = await enqueue(app.url, "tail", shell("echo out"));

    const { error } = await errorOf(await fetch(`${job.executionUrl}logs/?${query}`), 400);

    expect(error).toContain(`"${query.split("=")[0]}" must be`);
    await untilEnded(job);
  },
);
