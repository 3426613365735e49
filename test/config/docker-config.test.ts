import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { loadConfig, type Sources } from "../../src/config/load.ts";

const SECRET = "hunter2-pa:ss";
const AUTH = btoa(`ada:${SECRET}`);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fastlane-docker-config-"));
});
afterAll(() => rm(folder, { recursive: true }));

const load = (sources: Partial<Sources>) =>
  loadConfig({ environment: { HOME: folder }, flags: {}, configFile: "/dev/null", ...sources });

async function fileAt(path: string, content: unknown): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}
const fileOf = (content: unknown) => fileAt(join(folder, `${crypto.randomUUID()}.json`), content);
const loadFile = async (content: unknown) =>
  load({ flags: { dockerConfigFile: await fileOf(content) } });
const messageOf = async (content: unknown) => {
  try {
    await loadFile(content);
  } catch (error) {
    return error instanceof Error ? error.message : "";
  }
  return "it was taken";
};

test.each([
  ["https://index.docker.io/v1/", "docker.io"],
  ["docker.io", "docker.io"],
  ["registry.example:5000", "registry.example:5000"],
  ["https://registry.example", "registry.example"],
  ["http://registry.example:5000/v2/", "registry.example:5000"],
  ["registry.example/team", "registry.example"],
])("a login that Docker keeps for %s is one for the registry %s", async (name, registry) => {
  const { registries } = await loadFile({ auths: { [name]: { auth: AUTH } } });

  expect(registries).toEqual({ [registry]: { registry, username: "ada", password: SECRET } });
});

test("a login may stand in plain, and an entry without one is none", async () => {
  const auths = {
    "plain.example": { username: "ada", password: SECRET },
    "empty.example": {},
    "none.example": { auth: "" },
  };

  const { registries, notices } = await loadFile({ auths });

  expect(registries).toEqual({
    "plain.example": { registry: "plain.example", username: "ada", password: SECRET },
  });
  expect(notices).toEqual([]);
});

test("the bare name of a registry counts before one with a scheme", async () => {
  const auths = {
    "https://registry.example/v1/": { auth: btoa("old:old") },
    "registry.example": { auth: AUTH },
  };

  const { registries } = await loadFile({ auths });

  expect(registries["registry.example"]?.username).toBe("ada");
});

test("a login of the configuration wins over Docker's for the same registry", async () => {
  const auths = {
    "registry.example": { auth: AUTH },
    "named.example": { auth: AUTH },
    "other.example": { auth: AUTH },
  };
  const own = {
    "registry.example": { username: "own", password: "p" },
    builder: { registry: "named.example", username: "builder", password: "p" },
  };
  const environment = { FASTLANE_REGISTRIES: JSON.stringify(own) };

  const { registries } = load({
    environment,
    flags: { dockerConfigFile: await fileOf({ auths }) },
  });

  expect(registries["registry.example"]?.username).toBe("own");
  expect(registries["other.example"]?.username).toBe("ada");
  // Without a name the first login for a registry is taken.
  const first = Object.values(registries).find(({ registry }) => registry === "named.example");
  expect(first?.username).toBe("builder");
});

test("Docker's own file is read where nothing is said, and DOCKER_CONFIG says where that is", async () => {
  const auths = (username: string) => ({ auths: { "a.example": { auth: btoa(`${username}:p`) } } });
  const [home, elsewhere] = [join(folder, "home"), join(folder, "elsewhere")];
  await fileAt(join(home, ".docker", "config.json"), auths("home"));
  await fileAt(join(elsewhere, "config.json"), auths("elsewhere"));
  const usernameOf = (environment: Record<string, string>) =>
    load({ environment }).registries["a.example"]?.username;

  expect(usernameOf({ HOME: home })).toBe("home");
  expect(usernameOf({ HOME: home, DOCKER_CONFIG: elsewhere })).toBe("elsewhere");
  expect(usernameOf({ HOME: home, DOCKER_CONFIG: join(folder, "nowhere") })).toBeUndefined();
  expect(usernameOf({ HOME: join(folder, "nobody") })).toBeUndefined();
  expect(usernameOf({ HOME: home, FASTLANE_DOCKER_CONFIG_FILE: "" })).toBeUndefined();
  const configFile = await fileOf('dockerConfigFile = ""\n');
  expect(load({ configFile, environment: { HOME: home } }).registries).toEqual({});
});

test("what is not used of Docker's file is said, once and without a secret", async () => {
  const { registries, notices } = await loadFile({
    auths: {
      "token.example": { auth: AUTH, identitytoken: SECRET },
      "a.example": { auth: AUTH },
    },
    credsStore: "desktop",
    credHelpers: { "helper.example": "gcloud" },
  });

  expect(Object.keys(registries)).toEqual(["a.example"]);
  expect(notices).toEqual([
    expect.stringContaining("ignored: credsStore, credHelpers, the identitytoken of token.example"),
  ]);
  expect(notices.join()).not.toContain(SECRET);
});

test.each<[string, unknown, string]>([
  ["is no JSON", `{"auths": {"a.example": {"auth": "${AUTH}" "${SECRET}"`, "must be a JSON object"],
  ["is a list", [SECRET], "must be a JSON object"],
  ["has a login that is a text", { auths: { "a.example": SECRET } }, "at auths.a.example"],
  [
    "has a password that is none",
    { auths: { "a.example": { username: "ada", password: [SECRET] } } },
    "at auths.a.example.password",
  ],
  [
    "has an auth without a colon",
    { auths: { "a.example": { auth: btoa("hunter2") } } },
    "auth in auths.a.example of Docker's configuration file",
  ],
])("a named file that %s is an error that quotes nothing of it", async (_, content, words) => {
  const message = await messageOf(content);

  expect(message).toStartWith("Cannot start: ");
  expect(message).toContain(words);
  for (const secret of [SECRET, AUTH, "hunter2", btoa("hunter2")]) {
    expect(message).not.toContain(secret);
  }
});

test("a named file that is not there is an error; Docker's own that is broken is a notice", async () => {
  const home = join(folder, "broken");
  const path = await fileAt(join(home, ".docker", "config.json"), `{"auths": "${SECRET}"`);

  expect(() => load({ flags: { dockerConfigFile: "/no/such.json" } })).toThrow(
    'Docker\'s configuration file "/no/such.json" cannot be read: there is none',
  );
  const { registries, notices } = load({ environment: { HOME: home } });

  expect(registries).toEqual({});
  expect(notices).toEqual([
    `Docker's configuration file "${path}" must be a JSON object; no login is taken from it`,
  ]);
});
