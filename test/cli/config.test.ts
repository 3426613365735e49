import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parse } from "smol-toml";
import { defaultFile } from "../../src/config/default-file.ts";
import { run } from "../support/run-fastlane.ts";

const CANARY = "hunter2-canary";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fastlane-config-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function fileOf(text: string, mode = 0o600): Promise<string> {
  const path = join(folder, `${crypto.randomUUID()}.toml`);
  await writeFile(path, text, { mode });
  return path;
}

test("config prints the default file, whatever is configured", async () => {
  const environment = { FASTLANE_SMTP_PASSWORD: CANARY, FASTLANE_PORT: "abc" };

  const { code, stdout, stderr } = await run(["config"], environment);

  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toBe(defaultFile());
});

test("--check says that a right file is right", async () => {
  const file = await fileOf("port = 1\n");

  expect(await run(["config", "--check", file])).toEqual({
    code: 0,
    stdout: `${file} is right\n`,
    stderr: "",
  });
});

test("--check tells everything that is wrong, a line each, with where it stands", async () => {
  const file = await fileOf(`port = 99999
host = "0.0.0.0"
smtpPassword = "${CANARY}"
DOCKER_HOSTS = []

[[dockerHosts]]
hosts = ["https://a:1"]
maxRuning = 3

[hostAccess."https://a:1"]
caFile = "/no/such.pem"
`);

  const environment = { FASTLANE_LOG_LEVEL: "loud", FASTLANE_PORT: "1" };
  const { code, stdout, stderr } = await run(["config", "--check", file], environment);

  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr.trimEnd().split("\n")).toEqual([
    `${file}:2: host "0.0.0.0" can be reached from other machines, and whoever reaches fastlane ` +
      "controls the Docker hosts; listen on 127.0.0.1, configure basicAuthUsername and " +
      "basicAuthPassword or requireAuthentication, or say --no-auth to accept that",
    `${file}:3: smtpUser must be given together with smtpPassword or smtpPasswordFile`,
    `${file}:4: DOCKER_HOSTS is no key; did you mean dockerHosts?`,
    `${file}:8: dockerHosts.0.maxRuning is no key; did you mean maxRunning?`,
    `${file}:11: hostAccess.https://a:1.caFile: cannot read the file "/no/such.pem": there is none`,
    'FASTLANE_LOG_LEVEL: logLevel must be "debug", "info", "warn" or "error"',
    `${file}:1: port must be a whole number from 0 to 65535`,
  ]);
});

test("--check takes the flags of a start, and has a code of its own for no file", async () => {
  const file = await fileOf('host = "0.0.0.0"\n');

  expect((await run(["config", "--check", file, "--no-auth"])).code).toBe(0);
  expect(await run(["config", "--check", "/no/such.toml"])).toEqual({
    code: 2,
    stdout: "",
    stderr: 'Cannot read the configuration file "/no/such.toml": there is none\n',
  });
});

test.each([
  ["named-pipe", "it is a named pipe"],
  ["/dev/zero", "it is larger than 16777216 bytes"],
])("--check waits for nobody, and reads no file without an end: %s", async (name, why) => {
  const path = resolve(folder, name);
  if (name === "named-pipe") Bun.spawnSync(["mkfifo", path]);

  const { stderr } = await run(["config", "--check", path]);

  expect(stderr).toBe(`Cannot read the configuration file "${path}": ${why}\n`);
});

test.each([
  ["", "/dev/stdin is right\n"],
  [
    "cat >/dev/null;",
    'Cannot read the configuration file "/dev/stdin": nothing is left in that pipe\n',
  ],
])("what a shell pipes in is taken once: %p", (before, said) => {
  const script = `echo port = 3 | { ${before} "$@" config --check /dev/stdin 2>&1; }`;
  const main = new URL("../../src/main.ts", import.meta.url).pathname;

  const { stdout } = Bun.spawnSync(["sh", "-c", script, "sh", process.execPath, main]);

  expect(stdout.toString()).toBe(said);
});

test("--check tells of a secret that every user may read", async () => {
  const secret = await fileOf("postgres://a:b@c/d", 0o644);
  const file = await fileOf(`databaseUrlFile = "${secret}"\n`);

  const { code, stderr } = await run(["config", "--check", file]);

  expect(code).toBe(0);
  expect(stderr).toBe(
    `Notice: databaseUrlFile: every user of this machine may read the file "${secret}"; ` +
      "chmod 600 would end that\n",
  );
});

test("--show tells what counts and where it was said, without a secret", async () => {
  const file = await fileOf(`logLevel = "warn"
[[webhooks]]
url = "https://hooks.example/${CANARY}"
headers = { Authorization = "${CANARY}" }
secret = "${CANARY}"
[registries.r]
username = "ada"
password = "${CANARY}"
`);
  const environment = {
    FASTLANE_PORT: "3",
    DATABASE_URL: `postgres://a:${CANARY}@b/c`,
    FASTLANE_BASIC_AUTH_USERNAME: "ada",
    FASTLANE_BASIC_AUTH_PASSWORD: CANARY,
    FASTLANE_SMTP_HOST: "mail.example",
    FASTLANE_SMTP_USER: "ada",
    FASTLANE_SMTP_PASSWORD: CANARY,
  };
  const args = ["config", "--show", "--config", file, "--host", "::1"];

  const { code, stdout, stderr } = await run(args, environment);

  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toContain(`logLevel = "warn"  # ${file}:1\n`);
  expect(stdout).toContain("port = 3  # FASTLANE_PORT\n");
  expect(stdout).toContain('host = "::1"  # --host\n');
  expect(stdout).toContain("paginationPerPage = 10  # default\n");
  expect(stdout).toContain('databaseUrl = "***"  # DATABASE_URL\n');
  expect(stdout).not.toContain(CANARY);
  expect(parse(stdout)).toMatchObject({ registries: { r: { username: "ada", password: "***" } } });
});

test("--show tells of a pool's policy so that it reads back as it was", async () => {
  const file = await fileOf(`[[dockerHosts]]
hosts = ["a:1"]
[dockerHosts.allow]
maxMemory = "8g"
[dockerHosts.containers]
memory = "512m"
capabilities = ["cap_chown"]
`);

  const { stdout } = await run(["config", "--show", file]);
  const again = await run(["config", "--show", "--config", await fileOf(stdout)]);

  expect(parse(stdout)["dockerHosts"]).toMatchObject([
    { allow: { maxMemory: "8g" }, containers: { memory: "512m", capabilities: ["CHOWN"] } },
  ]);
  expect(parse(again.stdout)).toEqual(parse(stdout));
});
