import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestApp, type TestApp } from "../support/app.ts";
import { startOnTerminal } from "../support/cli.ts";
import { testEngine } from "../support/engine.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const CONTROL_C = "\u0003";
const WIPED = "\r\u001b[2K";
const LASTING = "trap 'echo bye; exit 7' TERM; echo begun; sleep 60 & wait";
const start = (script: string, ...flags: string[]) =>
  startOnTerminal([
    ...["run", "tty", "--url", app.url, "--image", "busybox", "--pull", "missing", ...flags],
    ...["--", "sh", "-c", script],
  ]);

test("Ctrl-C asks, n goes on, and a second Ctrl-C stops and follows to the end", async () => {
  const terminal = start(LASTING);
  await terminal.untilShown("begun");

  terminal.type(CONTROL_C);
  await terminal.untilShown("y stops it");
  terminal.type("n");
  await terminal.untilShown(WIPED);
  terminal.type(CONTROL_C);
  await terminal.untilShown("y stops it");
  terminal.type(CONTROL_C);

  expect(await terminal.exited).toBe(7);
  expect(terminal.screen()).toContain("bye");
});

test("d leaves it running, and says how to see it again", async () => {
  const terminal = start("echo begun; sleep 2");
  await terminal.untilShown("begun");

  terminal.type(CONTROL_C);
  await terminal.untilShown("d leaves it running");
  terminal.type("d");

  expect(await terminal.exited).toBe(0);
  expect(terminal.screen()).toContain("it was left running: tty ");
});

test("what it waits for is shown, and wiped", async () => {
  const first = start("echo begun; sleep 4", "--concurrency-key", "one");
  await first.untilShown("begun");
  const second = start("echo mine", "--concurrency-key", "one");

  await second.untilShown('concurrency key "one"');

  expect(await second.exited).toBe(0);
  const [, behind = ""] = second.screen().split(`limit is 1\u001b[0m${WIPED}`);
  expect(behind).toContain("mine");
  expect(behind).not.toContain("concurrency");
});

test("the pull is shown on one line, and wiped", async () => {
  const { registry } = await testEngine();
  const terminal = start("echo pulled", "--image", `${registry}/busybox`, "--pull", "always");

  expect(await terminal.exited).toBe(0);
  const shown = terminal.screen();
  expect(shown.indexOf("Pull")).toBeGreaterThan(-1);
  expect(shown.slice(shown.lastIndexOf("Pull"))).toContain(WIPED);
  expect(shown).toEndWith("pulled\r\n");
});

test("colours of a log pass, and what would harm the terminal does not", async () => {
  const terminal = start("printf '\\033[31mred\\033[0m\\033]0;title\\007\\033[2Jold\\rnew\\n'");

  expect(await terminal.exited).toBe(0);
  expect(terminal.screen()).toContain("\u001b[31mred\u001b[0mold\r\nnew");
  expect(terminal.screen()).not.toContain("title");
});
