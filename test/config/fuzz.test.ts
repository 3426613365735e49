import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { ConfigError } from "../../src/config/fault.ts";
import { loadConfig } from "../../src/config/load.ts";
import { run } from "../support/run-fastlane.ts";

const FILES = 1_000;
const STARTS = 20;
const SEED = 20_261_124;
const CANARY = "hunter2canary";
const folder = mkdtempSync(join(tmpdir(), "fastlane-fuzz-"));
const file = join(folder, "fastlane.toml");

beforeAll(() => writeFile(join(folder, "secret"), CANARY));
afterAll(() => rm(folder, { recursive: true }));

/** Right, and with every kind of key in it. */
const RIGHT = `port = 0
host = "127.0.0.1"
publicUrl = "https://fastlane.example"
trustedProxies = ["10.0.0.0/8", "::1"]
corsOrigins = ["*"]
basicAuthUsername = "ada"
basicAuthPassword = "${CANARY}"
databaseUrl = "postgres://ada:${CANARY}@127.0.0.1:1/fastlane"
hardExecutionTimeoutSeconds = 1800
exponentialBackoffFactor = 2.5
maxLogBytes = 268435456
logLevel = "info"
smtpHost = "mail.example"
smtpUser = "ada"
smtpPassword = "${CANARY}"
smtpUseSsl = true

[retention]
logsDays = 30
failedLogsDays = 90

[[dockerHosts]]
match = "^reports-"
hosts = ["https://10.0.0.8:2376"]
maxRunning = 20

[dockerHosts.allow]
networks = ["jobs"]
workdir = true

[[dockerHosts]]
swarm = "tcp://10.0.0.9:2375"

[hostAccess."https://10.0.0.8:2376"]
caFile = "/etc/fastlane/ca.pem"

[registries."registry.example:5000"]
username = "ada"
password = "${CANARY}"

[registries.other]
username = "ada"
passwordFile = "${folder}/secret"

[[webhooks]]
url = "https://hooks.example/${CANARY}"
headers = { Authorization = "${CANARY}" }
secret = "${CANARY}"
`;
const LINES = RIGHT.split("\n");

const LONG = `"${"x".repeat(1_000_000)}"`;
const deep = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
const wrongValue = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.constantFrom(
      ...['""', "''", '"x"', "0", "-1", "1.5", "nan", "-inf", "9007199254740991", "1e308", "true"],
      ...[
        "[]",
        "{}",
        "[[]]",
        '[""]',
        "[1, {}]",
        "{ a = 1 }",
        '{ "" = 1 }',
        "1979-05-27",
        "07:32:00",
      ],
      ...['"\\u0000"', '"\\u202e"', '"(((("', '"host"', '"/no/such/file"', '"ftp://x"', '"%00"'],
      ...["{ constructor = { x = 1 } }", "'''\n[a]\n'''", deep(50)],
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ...["", "= 1", '"', "'''", "[", "{", "\\", "\0", "#", "x", "99999999999999999999"],
      ...[deep(5_000), LONG, "{ __proto__ = 1 }"],
    ),
  },
);
const wrongLine = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      ...["[hostAccess.ssh]", "[hostAccess.x]", "[registries.constructor]", "[x]", "[[x]]"],
      ...[
        'toString = "x"',
        "constructor = 1",
        '"" = 1',
        "PORT = 1",
        "docker_hosts = 1",
        "a.b.c = 1",
      ],
      ...['"a\\nb" = 1', "undefined = 1", "smtpPort = 1", "x = 1"],
      ...[
        `${"a.".repeat(200)}a = 1`,
        "retention = 1",
        "webhooks.x = 1",
        "password = 1",
        "port = 1",
      ],
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ...[
        "[[retention]]",
        "[dockerHosts]",
        "[[registries]]",
        "__proto__ = 1",
        "[registries.__proto__]",
      ],
      ...[
        "[",
        "[[",
        "]",
        "=",
        "port.x = 1",
        "\0",
        "\uFEFF",
        "\u0007",
        `${LONG} = 1`,
        `${"a.".repeat(5_000)}a = 1`,
      ],
    ),
  },
);
const at = fc.nat({ max: LINES.length - 1 });

const changed = (lines: string[], index: number, change: (line: string) => string) =>
  lines.map((line, here) => (here === index % lines.length ? change(line) : line));
type Mutation = (lines: string[]) => string[];

/** One thing made wrong, or at least other, in the lines of a file. */
const mutation = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(at, wrongValue).map(([index, value]): Mutation => {
      return (lines) => changed(lines, index, (line) => line.replace(/=.*$/, () => `= ${value}`));
    }),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(at, wrongLine).map(([index, line]): Mutation => {
      return (lines) => lines.toSpliced(index, 0, line);
    }),
  },
  at.map(
    (index): Mutation =>
      (lines) =>
        lines.toSpliced(index, 1),
  ),
  fc.tuple(at, at).map(([from, to]): Mutation => {
    return (lines) => lines.toSpliced(to, 0, lines[from] ?? "");
  }),
  fc.tuple(at, fc.nat()).map(([index, cut]): Mutation => {
    return (lines) => changed(lines, index, (line) => line.slice(0, cut % (line.length + 1)));
  }),
  at.map(
    (index): Mutation =>
      (lines) =>
        lines.slice(0, index),
  ),
  fc.tuple(at, fc.nat()).map(([index, which]): Mutation => {
    const without = (line: string, letter: number) =>
      line.slice(0, letter) + line.slice(letter + 1);
    return (lines) => changed(lines, index, (line) => without(line, which % (line.length + 1)));
  }),
);
/** Bytes that are no UTF-8, now and then. */
const wrongBytes = fc.oneof(
  { weight: 19, arbitrary: fc.constant(new Uint8Array()) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 3, min: 0x80 }) },
);
const wrongFile = fc
  .tuple(fc.array(mutation, { minLength: 1, maxLength: 4 }), wrongBytes)
  .map(([mutations, bytes]) => {
    const lines = mutations.reduce((text, mutate) => mutate(text), LINES);
    return Buffer.concat([Buffer.from(lines.join("\n")), bytes]);
  });

const NEVER = [
  CANARY,
  "undefined",
  "[object",
  "Invalid",
  "Expected",
  "TypeError",
  "RangeError",
  "TomlError",
  "valibot",
  "    at ",
  "NaN",
  "null",
  "Maximum call stack",
  ".ts:",
  "\0",
  "\u0007",
];

/** What a reader is told, or `null` where the file is taken. */
function faultsOf(content: Uint8Array): readonly string[] | null {
  writeFileSync(file, content, { mode: 0o600 });
  try {
    loadConfig({ environment: { HOME: folder }, flags: {}, configFile: file });
    return null;
  } catch (error) {
    // Anything else is a bug, and fails the test with its stack.
    if (!(error instanceof ConfigError)) throw error;
    expect(error.message).toStartWith("Cannot start:");
    for (const word of NEVER)
      expect(error.message.replaceAll("undefined is no key", "")).not.toContain(word);
    return error.faults;
  }
}

test("the file that is made wrong is right", () => {
  expect(faultsOf(Buffer.from(RIGHT))).toBeNull();
});

test(`of ${FILES} files that are made wrong each is taken, or told of in sentences`, () => {
  let refused = 0;
  fc.assert(
    fc.property(wrongFile, (content) => {
      const faults = faultsOf(content);
      if (faults === null) return;
      refused++;
      expect(faults.length).toBeGreaterThan(0);
      for (const fault of faults) {
        expect(fault).toMatch(/^(\/.*?\.toml(:\d+(:\d+)?)?: )?\S.*[^:;,.\s]$/);
        expect(fault.length).toBeLessThan(600);
      }
    }),
    { numRuns: FILES, seed: SEED },
  );

  expect(refused).toBeGreaterThan(FILES / 2);
});

test(`of ${STARTS} wrong files none starts anything`, async () => {
  const wrong = fc
    .sample(wrongFile, { numRuns: 10 * STARTS, seed: SEED })
    .filter((content) => faultsOf(content) !== null)
    .slice(0, STARTS);
  const dataDir = join(folder, "data");

  await Promise.all(
    wrong.map(async (content, index) => {
      const configFile = join(folder, `${index}.toml`);
      await writeFile(configFile, content);
      const args = ["up", "--config", configFile, "--data-dir", dataDir];
      const { code, stdout, stderr } = await run(args);

      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr).toStartWith("Cannot start:");
      for (const word of NEVER) {
        expect(stderr.replaceAll("undefined is no key", "")).not.toContain(word);
      }
    }),
  );
  expect(wrong).toHaveLength(STARTS);
  expect(existsSync(dataDir)).toBe(false);
});
