import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestApp, type TestApp } from "../support/app.ts";
import { cli, startCli } from "../support/cli.ts";
import { freePort } from "../support/free-port.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const BUSYBOX = ["--image", "busybox", "--pull", "missing"];
const runArgs = (script: string, flags: string[] = [], to = app.url) => [
  ...["run", "cli", "--url", to, ...BUSYBOX, ...flags],
  ...["--", "sh", "-c", script],
];
const run = async (script: string, ...flags: string[]) => await cli(runArgs(script, flags));

test.each([
  ["exit 0", [], 0],
  ["exit 3", [], 3],
  ["exit 137", [], 137],
  ["trap 'exit 9' TERM; sleep 60 & wait", ["--timeout", "1"], 124],
  ["true", ["--image", "127.0.0.1:1/none", "--pull", "never"], 125],
  ["true", ["--workdir", "relative"], 125],
  ["true", ["--nonsense"], 125],
  ["true", ["--url", "http://127.0.0.1:1", "--ca-file", "/nonexistent"], 125],
] as const)("%j with %j ends with %d", async (script, flags, code) => {
  const { code: ended, stderr } = await run(script, ...flags);

  expect(ended).toBe(code);
  expect(stderr === "").toBe(code < 124 || code === 137);
});

test("what is written comes byte for byte, each stream to its own", async () => {
  const [lines, sums] = await Promise.all([
    run("seq 100000; echo no end >&2; printf '\\303'"),
    run("head -c 100000 /dev/urandom >r; cat r; sha256sum r | cut -c1-64 | tr -d '\\n' >&2"),
  ]);

  const text = `${Array.from({ length: 100_000 }, (_, i) => `${i + 1}\n`).join("")}`;
  expect(lines.stdout.equals(Buffer.concat([Buffer.from(text), Buffer.of(0xc3)]))).toBe(true);
  expect(lines.stderr).toBe("no end\n");
  expect(sums.stdout).toHaveLength(100_000);
  expect(new Bun.CryptoHasher("sha256").update(sums.stdout).digest("hex")).toBe(sums.stderr);
});

test.each([
  ["SIGINT", 7],
  ["SIGTERM", 7],
] as const)("%s off a terminal stops it, and its own code is told", async (signal, code) => {
  const running = startCli(runArgs("trap 'echo bye; exit 7' TERM; echo begun; sleep 60 & wait"));
  await running.untilSaid("begun");

  running.kill(signal);

  const { code: ended, stdout, stderr } = await running.finished;
  expect([ended, stdout.toString()]).toEqual([code, "begun\nbye\n"]);
  expect(stderr).toContain("stopped");
});

test("what is hung up runs on, and its log is read by the task's name", async () => {
  const running = startCli([
    "run",
    "hungup",
    ...runArgs("echo begun; sleep 2; echo over").slice(2),
  ]);
  await running.untilSaid("begun");

  running.kill("SIGHUP");

  expect(await running.finished).toMatchObject({ code: 129 });
  const log = await cli(["logs", "-f", "hungup", "--url", app.url]);
  expect([log.code, log.stdout.toString(), log.stderr]).toEqual([0, "begun\nover\n", ""]);
});

test("--detach prints the URLs, or with --json the answer", async () => {
  const [words, json, cron] = await Promise.all([
    run("true", "--detach"),
    run("true", "--detach", "--json"),
    run("true", "--cron", "0 0 1 1 *", "--timezone", "Europe/Berlin"),
  ]);

  expect(words.stdout.toString()).toMatch(
    /^execution http:\S+\/executions\/\S+\/\njob http:\S+\n$/,
  );
  expect(JSON.parse(json.stdout.toString())).toMatchObject({ taskId: "cli" });
  expect(cron.stdout.toString()).toMatch(/^job http:\S+\n$/);
  expect(cron.stderr).toMatch(/^fastlane: it runs at \d{4}-01-01T00:00:00\+01:00 /);
});

test("--json has the execution on stdout, and its log on stderr", async () => {
  const { code, stdout, stderr } = await run("echo out; exit 4", "--json");

  expect([code, stderr]).toEqual([4, "out\n"]);
  expect(JSON.parse(stdout.toString())).toMatchObject({
    execution: { status: "failed", exitCode: 4 },
  });
});

test("retries are followed, and the last one counts", async () => {
  const { code, stdout, stderr } = await run(
    "echo try; exit 4",
    ...["--retries", "2", "--backoff-min", "1ms"],
  );

  expect([code, stdout.toString()]).toEqual([4, "try\ntry\ntry\n"]);
  expect(stderr.match(/try \d begins/g)).toEqual(["try 2 begins", "try 3 begins"]);
});

test("what runs later is waited for", async () => {
  const { code, stdout, stderr } = await run("echo later; exit 5", "--in", "1s");

  expect([code, stdout.toString()]).toEqual([5, "later\n"]);
  expect(stderr).toContain("it runs at");
});

test("a service that is killed and comes again in the middle costs no line and repeats none", async () => {
  await using disposals = new AsyncDisposableStack();
  const port = await freePort();
  const options = { database: app.database, config: { port }, roles: { api: true, worker: false } };
  const first = await startTestApp(options);
  const running = startCli(
    runArgs("for i in $(seq 40); do echo $i; usleep 50000; done", [], first.url),
  );
  await running.untilSaid("5\n");

  await first[Symbol.asyncDispose]();
  disposals.use(await startTestApp(options));

  const { code, stdout, stderr } = await running.finished;
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout.toString()).toBe(Array.from({ length: 40 }, (_, i) => `${i + 1}\n`).join(""));
});

test("a service that is being started is waited for, and the job is made once", async () => {
  const port = await freePort();
  const running = startCli([
    "run",
    "early",
    ...runArgs("echo once", [], `http://127.0.0.1:${port}`).slice(2),
  ]);

  await using _ = await startTestApp({ database: app.database, config: { port } });

  const { code, stdout } = await running.finished;
  expect([code, stdout.toString()]).toEqual([0, "once\n"]);
  expect(await (await fetch(`${app.url}/tasks/early/`)).json()).toMatchObject({ total: 1 });
});
