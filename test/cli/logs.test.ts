import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestApp, type TestApp } from "../support/app.ts";
import { cli } from "../support/cli.ts";
import { enqueue, untilEnded } from "../support/client.ts";

let app: TestApp;
let made: Awaited<ReturnType<typeof enqueue>>;
beforeAll(async () => {
  app = await startTestApp();
  made = await enqueue(app.url, "a task", {
    command: ["sh", "-c", "echo 1; echo err >&2; sleep 0.1; echo 2; echo 3; printf '\\377no end'"],
  });
  await untilEnded(made);
});
afterAll(() => app[Symbol.asyncDispose]());

const logs = async (...args: string[]) => {
  const { code, stdout, stderr } = await cli(["logs", ...args], { env: { FASTLANE_URL: app.url } });
  return [code, stdout.toString("latin1"), stderr];
};

test("an execution is named by its task, its job, its id, a part of it, or a URL", async () => {
  const { taskId, jobId, executionId = "", executionUrl = "", jobUrl } = made;
  const names = [
    [taskId],
    [taskId, jobId],
    [taskId, jobId.slice(0, 8)],
    [taskId, jobId, executionId],
    [taskId, jobId, executionId.slice(0, 8)],
    [executionId],
    [executionId.slice(0, 8)],
    [executionUrl.replace(/^http:\/\/[^/]+/, "https://gate.example:7/prefix")],
    [jobUrl],
  ];

  const answers = await Promise.all(names.map((name) => logs(...name)));

  for (const [index, answer] of answers.entries()) {
    expect(answer, names[index]?.join(" ")).toEqual([0, "1\n2\n3\n\xffno end", "err\n"]);
  }
});

test.each([
  [["--stdout"], "1\n2\n3\n\xffno end", ""],
  [["--stderr"], "", "err\n"],
  [["--tail", "2"], "3\n\xffno end", ""],
  [["--tail", "2", "--follow"], "3\n\xffno end", ""],
  [["--follow"], "1\n2\n3\n\xffno end", "err\n"],
  [["--since", "1h"], "1\n2\n3\n\xffno end", "err\n"],
  [["--since", "2100-01-01T00:00:00Z"], "", ""],
])("%j gives what was asked for", async (flags, stdout, stderr) => {
  expect(await logs("a task", ...flags)).toEqual([0, stdout, stderr]);
});

test("--timestamps has the time in front of each line, --json a line for each frame", async () => {
  const [, timed] = await logs("a task", "--timestamps", "--stdout");
  const [, json] = await logs("a task", "--json");

  expect(`${timed}`.split("\n")).toEqual(
    [1, 2, 3, 4].map(() => expect.stringMatching(/^20\S+Z \S/)),
  );
  const frames = `${json}`
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(frames.at(0)).toMatchObject({ seq: 1 });
  expect(frames.at(-1)).toMatchObject({
    base64: Buffer.from("\xffno end", "latin1").toString("base64"),
  });
});

test.each([
  [["no such task"], "task"],
  [["a task", "nonsense"], "nonsense"],
  [["a task", "00000000"], "00000000"],
  [["http://127.0.0.1/else"], "URL"],
])("%j is none, and that is told", async (name, told) => {
  const [code, stdout, stderr] = await logs(...name);

  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toContain(told);
});
