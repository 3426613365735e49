import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../support/run-fastlane.ts";

test("--version and --help answer on stdout", async () => {
  const version = await run(["--version"]);
  const help = await run(["--help"]);

  expect(version).toMatchObject({ code: 0, stderr: "" });
  expect(version.stdout).toMatch(/^(\d+\.\d+\.\d+|development)\n$/);
  expect(help.code).toBe(0);
  for (const command of ["up", "api", "worker", "migrate"]) {
    expect(help.stdout).toMatch(new RegExp(`^  ${command} `, "m"));
  }
});

test.each([
  [["sing"], "sing"],
  [["up", "--nonsense"], "--nonsense"],
  [["up", "--port"], "--port"],
])("%j is refused with a message and code 2", async (args, named) => {
  const { code, stdout, stderr } = await run(args);

  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toContain(named);
});

test("a wrong configuration names all that is wrong, and nothing starts", async () => {
  const { code, stderr } = await run(["up", "--port", "abc"], { FASTLANE_NO_SUCH: "1" });

  expect(code).toBe(2);
  expect(stderr.split("\n")).toEqual([
    "Cannot start:",
    "  FASTLANE_NO_SUCH: noSuch is no key; `fastlane config` shows those that there are",
    "  --port: port must be a whole number from 0 to 65535",
    "",
  ]);
});

test("what the client commands read of the environment is no key of the configuration", async () => {
  const environment = { FASTLANE_URL: "http://x", FASTLANE_TOKEN: "fl_x", FASTLANE_CA_FILE: "/x" };

  const { stderr } = await run(["up", "--port", "abc"], environment);

  expect(stderr).toMatch(/^Cannot start: (?!.*(?:url|token|caFile)).*port/i);
});

test("a taken port is told in a sentence, before anything is made", async () => {
  const dataDir = join(tmpdir(), `fastlane-cli-${crypto.randomUUID()}`);
  const other = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const { port } = other;

  const { code, stderr } = await run(["up", "--port", `${port}`, "--data-dir", dataDir]);
  await other.stop(true);

  expect(code).toBe(2);
  expect(stderr).toContain(`127.0.0.1:${port}`);
  expect(stderr).toContain("--port");
  expect(existsSync(dataDir)).toBe(false);
});
