import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig, type Sources } from "../../src/config/load.ts";

const CANARY = "hunter2-canary";
const URL = `postgres://ada:${CANARY}@db.example/fastlane`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fastlane-secrets-"));
});
afterAll(() => rm(folder, { recursive: true }));

const load = (sources: Partial<Sources>) =>
  loadConfig({ environment: {}, flags: {}, configFile: "/dev/null", ...sources });
const messageOf = (sources: Partial<Sources>) => {
  try {
    load(sources);
  } catch (error) {
    return error instanceof Error ? error.message : "";
  }
  return "it was taken";
};

async function fileOf(text: string, mode = 0o600): Promise<string> {
  const path = join(folder, crypto.randomUUID());
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

async function credentials(texts: Record<string, string>): Promise<string> {
  const path = join(folder, crypto.randomUUID());
  await mkdir(path);
  for (const [name, text] of Object.entries(texts)) await writeFile(join(path, name), text);
  return path;
}

const ACCESS = { FASTLANE_BASIC_AUTH_USERNAME: "ada" };
const MAIL = { FASTLANE_SMTP_HOST: "mail.example", FASTLANE_SMTP_USER: "ada" };

test("every secret may stand in a file", async () => {
  const password = await fileOf(`${CANARY}\n`);

  const config = load({
    environment: {
      ...ACCESS,
      ...MAIL,
      FASTLANE_DATABASE_URL_FILE: await fileOf(`${URL}\n`),
      FASTLANE_BASIC_AUTH_PASSWORD_FILE: password,
      FASTLANE_SMTP_PASSWORD_FILE: password,
      FASTLANE_REGISTRIES: JSON.stringify({ r: { username: "a", passwordFile: password } }),
      FASTLANE_WEBHOOKS: JSON.stringify([{ url: "https://a.example", secretFile: password }]),
    },
  });

  expect(config).toMatchObject({
    databaseUrl: URL,
    basicAuthPassword: CANARY,
    smtp: { password: CANARY },
    registries: { r: { password: CANARY } },
    webhooks: [{ secret: CANARY }],
    notices: [],
  });
});

test("a credential that is named like a secret is that secret", async () => {
  const CREDENTIALS_DIRECTORY = await credentials({
    databaseUrl: URL,
    basicAuthPassword: CANARY,
    smtpPassword: `${CANARY}\n`,
    other: "x",
  });

  const config = load({ environment: { ...ACCESS, ...MAIL, CREDENTIALS_DIRECTORY } });

  expect(config).toMatchObject({
    databaseUrl: URL,
    basicAuthPassword: CANARY,
    smtp: { password: CANARY },
  });
});

test("a file that is named without a folder is a credential", async () => {
  const CREDENTIALS_DIRECTORY = await credentials({ mail: CANARY });
  const environment = { ...MAIL, FASTLANE_SMTP_PASSWORD_FILE: "mail" };

  const { smtp } = load({ environment: { ...environment, CREDENTIALS_DIRECTORY } });

  expect(smtp?.password).toBe(CANARY);
  expect(messageOf({ environment })).toBe(
    "Cannot start: FASTLANE_SMTP_PASSWORD_FILE: smtpPasswordFile must be an absolute path, or the " +
      "name of a credential where systemd gives some (CREDENTIALS_DIRECTORY is not set)",
  );
});

test("what is said later counts over a secret of an earlier place, in a file or not", async () => {
  const file = await fileOf("postgres://file/a");
  const configFile = await fileOf(`databaseUrlFile = "${file}"\n`);
  const CREDENTIALS_DIRECTORY = await credentials({ databaseUrl: "postgres://credential/a" });
  const environment = { DATABASE_URL: "postgres://variable/a", CREDENTIALS_DIRECTORY };
  const urlOf = (sources: Partial<Sources>) => load(sources).databaseUrl;

  expect(urlOf({ environment: { CREDENTIALS_DIRECTORY } })).toBe("postgres://credential/a");
  expect(urlOf({ environment: { CREDENTIALS_DIRECTORY }, configFile })).toBe("postgres://file/a");
  expect(urlOf({ environment, configFile })).toBe("postgres://variable/a");
  const flags = { databaseUrl: "postgres://flag/a" };
  expect(urlOf({ environment, configFile, flags })).toBe("postgres://flag/a");
});

test("a secret and a file for it in one place are told of", async () => {
  const configFile = await fileOf(`databaseUrl = "${URL}"\ndatabaseUrlFile = "${folder}"\n`);

  const message = messageOf({ configFile });

  expect(message).toContain(`${configFile}:1: databaseUrl and databaseUrlFile must not be given`);
  expect(message).toContain(
    `:2: databaseUrlFile: cannot read the file "${folder}": it is a folder`,
  );
  expect(message).not.toContain(CANARY);
});

test("what is wrong in a file is said without what is in it", async () => {
  const CREDENTIALS_DIRECTORY = await credentials({ databaseUrl: `mysql://${CANARY}` });
  const registries = { r: { username: "a", passwordFile: await fileOf("\n") } };

  const message = messageOf({
    environment: { CREDENTIALS_DIRECTORY, FASTLANE_REGISTRIES: JSON.stringify(registries) },
  });

  expect(message).toContain("  credential databaseUrl: databaseUrlFile: what is in");
  expect(message).toContain("must begin with postgres://");
  expect(message).toContain("registries.r.passwordFile: what is in");
  expect(message).toContain("must not be empty");
  expect(message).not.toContain(CANARY);
});

test.each([
  [0o600, 0],
  [0o640, 0],
  [0o644, 1],
])("of a secret in a file of mode %o there are %p notices", async (mode, count) => {
  const file = await fileOf(URL, mode);

  const { notices } = load({ flags: { databaseUrlFile: file } });

  expect(notices).toHaveLength(count);
  expect(notices.join()).not.toContain(CANARY);
});

test("a file with a secret in it that every user may read is a notice as well", async () => {
  const configFile = await fileOf(`databaseUrl = "${URL}"\n`, 0o644);
  const harmless = await fileOf("port = 1\n", 0o644);

  expect(load({ configFile }).notices).toEqual([
    `databaseUrl: every user of this machine may read the file "${configFile}"; chmod 600 would end that`,
  ]);
  expect(load({ configFile: harmless }).notices).toEqual([]);
});
