import { afterAll, beforeAll, expect, test } from "bun:test";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createColors } from "picocolors";
import { jsonOf, linesOf } from "../../src/cli/doctor-text.ts";
import type { Finding } from "../../src/doctor/finding.ts";
import { testEngine } from "../support/engine.ts";
import { startPostgres } from "../support/postgres.ts";
import type { PrivatePostgres } from "../support/private-postgres.ts";

const BINARY = new URL("../../dist/fastlane", import.meta.url).pathname;
const { host } = await testEngine();

let durable: PrivatePostgres;
let folder: string;
beforeAll(async () => {
  durable = await startPostgres({ durable: true });
  folder = await mkdtemp(join(tmpdir(), "fastlane-doctor-cli-"));
});
afterAll(async () => {
  await durable.stop();
  await rm(folder, { recursive: true });
});

function doctor(args: string[], environment: Record<string, string> = {}) {
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: "/nonexistent",
    FASTLANE_DATABASE_URL: durable.url,
    FASTLANE_DOCKER_HOSTS: JSON.stringify([{ hosts: [host] }]),
    ...environment,
  };
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const child = execFile(BINARY, ["doctor", ...args], { env, cwd: "/" }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

test("where all is well it ends with 0, and with --strict not if something is to be done", async () => {
  const [well, strict] = await Promise.all([doctor([]), doctor(["--strict"])]);

  // The engine of the tests is without live-restore.
  expect([well.code, strict.code, well.stderr]).toEqual([0, 1, ""]);
  expect(well.stdout).toMatch(/^✓ Postgres: version 1\d/m);
  expect(well.stdout).toMatch(/^! host .*: live-restore is off.*\n {4}set "live-restore": true/m);
  expect(well.stdout).toMatch(/^0 problems, \d+ warnings?; \d+ looked at and well\n$/m);
  expect(well.stdout).not.toContain("\u001b");
});

test("--json tells the same to programs, and problems end it with 1", async () => {
  const hosts = JSON.stringify([{ hosts: ["tcp://127.0.0.1:1"] }]);

  const { code, stdout } = await doctor(["--json"], { FASTLANE_DOCKER_HOSTS: hosts });

  const { summary, findings } = JSON.parse(stdout) as {
    summary: Record<string, number>;
    findings: Finding[];
  };
  expect(code).toBe(1);
  expect(summary["problems"]).toBe(1);
  expect(Object.keys(summary)).toEqual(["problems", "warnings", "ok"]);
  for (const finding of findings) {
    expect(Object.keys(finding)).toEqual(["subject", "level", "message", "advice"]);
  }
  expect(findings.filter(({ level }) => level === "problem")).toMatchObject([
    { subject: "host tcp://127.0.0.1:1", advice: expect.any(String) },
  ]);
});

test("a wrong configuration ends it with 2", async () => {
  const { code, stdout, stderr } = await doctor([], { FASTLANE_PORT: "abc" });

  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toContain("port");
});

test("a file with a secret that every user may read is told of, and the secret is not", async () => {
  const path = join(folder, "fastlane.toml");
  await writeFile(path, 'basicAuthUsername = "ada"\nbasicAuthPassword = "canary-88d1-long"\n');

  const { code, stdout } = await doctor(["--config", path, "--no-canary"]);

  expect(code).toBe(0);
  expect(stdout).toContain(
    `! configuration: basicAuthPassword: every user of this machine may read the file "${path}"`,
  );
  expect(stdout).not.toContain("canary-88d1");
});

test("what a server said cannot move the terminal's cursor, and colours are for terminals alone", () => {
  const finding: Finding = {
    subject: "host a",
    level: "problem",
    message: "it said \u001b[2J\n\u009b2J\u202eno",
    advice: "ask it",
  };

  expect(linesOf(finding, createColors(false))).toEqual([
    "✗ host a: it said  [2J 2J<U+202E>no",
    "    ask it",
  ]);
  expect(jsonOf([finding])).not.toContain("\u009b");
  expect(linesOf(finding, createColors(true))[0]).toStartWith("\u001b[31m✗");
});
