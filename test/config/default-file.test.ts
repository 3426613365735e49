import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "smol-toml";
import { defaultFile } from "../../src/config/default-file.ts";
import { loadConfig } from "../../src/config/load.ts";
import { ConfigSchema } from "../../src/config/schema.ts";
import { type Schema, shapeOf } from "../../src/config/shape.ts";
import { newKeyLine } from "../../src/core/keyring.ts";

const AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt";
const KEY_LINE = /^# (?=[\w.-]+ = |\[)/gm;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fastlane-default-file-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function load(text: string) {
  const configFile = join(folder, `${crypto.randomUUID()}.toml`);
  await writeFile(configFile, text);
  return loadConfig({ environment: { HOME: folder }, flags: {}, configFile });
}

/** What is printed, with every key in force; the file that it names need not be on this machine. */
async function inForce(text: string): Promise<string> {
  const authorities = join(folder, "authorities.pem");
  await writeFile(authorities, "PEM");
  // The key that all the world can read is refused.
  const secretKey = `$1"${newKeyLine().trim()}"`;
  return text
    .replaceAll(KEY_LINE, "")
    .replaceAll(AUTHORITIES, authorities)
    .replace(/^(secretKey = )".*"/m, secretKey);
}

test("as it is printed it says nothing but the defaults", async () => {
  const nothing = await load("");

  expect(parse(defaultFile())).toEqual({});
  expect(await load(defaultFile())).toEqual(nothing);
});

test("with every key in force it loads, and says what it says", async () => {
  const text = await inForce(defaultFile());

  const config = await load(text);

  expect(config).toMatchObject({
    publicUrl: "https://fastlane.example",
    basicAuthPassword: "a long password",
    retention: { logsDays: 30, failedLogsDays: 90, executionsDays: 180 },
    dockerHosts: [{ match: "", maxRunning: 20, allow: { networks: [], workdir: false } }],
    smtp: { host: "mail.example", password: "a long password", ca: "PEM" },
  });
  expect(Object.keys(config.registries)).toEqual(["registry.example:5000", "builder"]);
  expect(Object.keys(config.hostAccess)).toHaveLength(2);
  expect(config.webhooks).toHaveLength(1);
});

test("the key that it shows as an example is refused", async () => {
  const text = defaultFile().replace(/^# (secretKey = )/m, "$1");

  await expect(load(text)).rejects.toThrow("not those of the example");
});

test("a default in it is the default", async () => {
  const nothing: Record<string, unknown> = { ...(await load("")) };
  const all: Record<string, unknown> = { ...(await load(await inForce(defaultFile()))) };
  const withDefault = Object.entries(ConfigSchema.entries).filter(
    ([, schema]) => shapeOf(schema).kind === "value" && schema.default !== undefined,
  );

  expect(withDefault.length).toBeGreaterThan(15);
  for (const [name] of withDefault) expect([name, all[name]]).toEqual([name, nothing[name]]);
});

test("every key of the schema is in it, and each has prose before it", () => {
  const lines = defaultFile().split("\n");

  for (const name of namesOf(ConfigSchema)) {
    const at = lines.findIndex((line) => line.replace(/^# (or )?/, "").startsWith(`${name} = `));
    const table = lines.findIndex((line) =>
      new RegExp(`^# \\[+(\\w+\\.)?${name}[\\].]`).test(line),
    );
    expect([name, Math.max(at, table) > 0]).toEqual([name, true]);
    expect(lines[Math.max(at, table) - 1]).toMatch(/^# .*\.$/);
  }
});

function namesOf(schema: Schema): string[] {
  const shape = shapeOf(schema);
  if (shape.kind === "list") return namesOf(shape.item);
  if (shape.kind === "named") return namesOf(shape.value);
  if (shape.kind === "value") return [];
  return Object.entries(shape.entries).flatMap(([name, entry]) => [name, ...namesOf(entry)]);
}
