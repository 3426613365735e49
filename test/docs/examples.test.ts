import { expect, test } from "bun:test";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Glob } from "bun";
import { testEngine } from "../support/engine.ts";
import { type Example, examplesOf } from "./markdown.ts";

const ROOT = new URL("../../", import.meta.url).pathname.replace(/\/$/, "");
const SANDBOX = new URL("sandbox.sh", import.meta.url).pathname;
const pages = ["README.md", ...[...new Glob("docs/**/*.md").scanSync(ROOT)].sort()];
const COMMANDS = /^ {4}(?:curl|fastlane|dist\/fastlane|npm|docker|systemctl|node|kill|sudo) /m;

test.each(pages)("%s has its shell examples in blocks that say so", async (page) => {
  const text = await readFile(join(ROOT, page), "utf8");

  expect(text.replaceAll(/^```.*?^```$/gms, "")).not.toMatch(COMMANDS);
});

// Most of a page's time is waiting: for a server to start, for an execution to end.
const AT_ONCE = 3;
const places = Array.from({ length: AT_ONCE }, () => Promise.resolve());

test.each(pages)("tests that run shell examples of %s are there, and read it", async (page) => {
  for (const { runBy } of examplesOf(await readFile(join(ROOT, page), "utf8"))) {
    if (runBy === null) continue;
    expect(await readFile(join(ROOT, runBy), "utf8")).toContain(page);
  }
});

test.concurrent.each(pages.map((page, number) => [page, number] as const))(
  "the shell examples of %s do what they say",
  async (page, number) => {
    const examples = examplesOf(await readFile(join(ROOT, page), "utf8"));
    const run = examples.filter(({ skipped, runBy }) => skipped === null && runBy === null);

    const failures = run.length === 0 ? [] : await inTurn(number, () => runIn(run));

    const expected = run.filter(({ exitCode }) => exitCode !== 0);
    expect(failures.filter((failure) => !isExpected(failure, expected))).toEqual([]);
    for (const example of expected)
      expect(failures.map(({ line, exitCode }) => ({ line, exitCode }))).toContainEqual({
        line: example.line,
        exitCode: example.exitCode,
      });
  },
  600_000,
);

/** Runs it when those before it in its row have ended; there are so many rows as run at once. */
async function inTurn<T>(number: number, run: () => Promise<T>): Promise<T> {
  const row = number % AT_ONCE;
  const ran = (places[row] ?? Promise.resolve()).then(run);
  places[row] = ran.then(
    () => undefined,
    () => undefined,
  );
  return await ran;
}

interface Failure {
  /** The example's first line in its page. */
  line: number;
  exitCode: number;
  command: string;
  /** All that was printed, by the service as well. */
  output: string;
}

function isExpected({ line, exitCode }: Failure, expected: readonly Example[]): boolean {
  return expected.some((example) => example.line === line && example.exitCode === exitCode);
}

/** Runs the examples one after the other on what looks like a new machine with a running fastlane. */
async function runIn(examples: readonly Example[]): Promise<Failure[]> {
  const { host } = await testEngine();
  const folder = await mkdtemp(join(tmpdir(), "fastlane-examples-"));
  try {
    await mkdir(join(folder, "work"));
    for (const { line, text } of examples) await writeFile(join(folder, `${line}.sh`), `${text}\n`);
    const asRoot = process.getuid?.() === 0 ? [] : ["sudo"];
    const apart = [
      "unshare",
      "--mount",
      "--net",
      "--pid",
      "--fork",
      "--kill-child",
      "--mount-proc",
    ];
    const command = [
      ...asRoot,
      // What waits for something that never comes is a failure, and leaves nothing behind.
      "timeout",
      "240",
      ...apart,
      "bash",
      SANDBOX,
      host.slice("unix://".length),
      ROOT,
      folder,
    ];
    const sandbox = Bun.spawn(command, { stdout: "pipe", stderr: "pipe", stdin: "ignore" });
    const output = (
      await Promise.all([new Response(sandbox.stdout).text(), new Response(sandbox.stderr).text()])
    ).join("\n");
    if ((await sandbox.exited) !== 0 && !(await told(folder)))
      throw new Error(`The sandbox ended with ${sandbox.exitCode}: ${output}`);
    const log = await readFile(join(folder, "server.log"), "utf8");
    return (await told(folder))
      .split("\n")
      .filter(Boolean)
      .map((line) => {
        const [, number, exitCode, failed = ""] = /^(\d+) (\d+) (.*)$/.exec(line) ?? [];
        const said = `${output}\n${log}`;
        return { line: Number(number), exitCode: Number(exitCode), command: failed, output: said };
      });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function told(folder: string): Promise<string> {
  return await readFile(join(folder, "failures"), "utf8").catch(() => "");
}
