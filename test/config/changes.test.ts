import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { changesOf } from "../../src/config/changes.ts";
import { loadConfig } from "../../src/config/load.ts";

/** What a file would have. */
function configWith(keys: Record<string, unknown>) {
  const environment = Object.fromEntries(
    Object.entries({ dockerConfigFile: "", ...keys }).map(([key, value]) => [
      `FASTLANE_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
  return loadConfig({ environment, flags: {}, configFile: "/dev/null" });
}

const SEVEN = "tcp://10.0.0.7:2375";
const NINE = "tcp://10.0.0.9:2375";
const TLS = "https://10.0.0.8:2376";
const pools = (...rules: Record<string, unknown>[]) => ({ dockerHosts: rules });
const reports = (rule: Record<string, unknown> = {}) => ({
  match: "^reports-",
  hosts: [SEVEN],
  ...rule,
});
const login = (password: string, more: Record<string, unknown> = {}) => ({
  username: "ada",
  password,
  ...more,
});
const HOOK = "https://hooks.example/CANARY?token=CANARY";

type Keys = Record<string, unknown>;

test.each<[string, Keys, Keys, string[]]>([
  ["nothing", pools(reports()), pools(reports()), []],
  [
    "a pool's hosts and room",
    pools(reports()),
    pools(reports({ hosts: [SEVEN, NINE], maxRunning: 40 })),
    [`pool "^reports-": host ${NINE} added, maxRunning 20 -> 40`],
  ],
  [
    "a host in place of another",
    pools(reports()),
    pools(reports({ hosts: [NINE] })),
    [`pool "^reports-": host ${SEVEN} removed, host ${NINE} added`],
  ],
  [
    "what a pool allows",
    pools(reports()),
    pools(reports({ allow: { workdir: true } })),
    ['pool "^reports-": allow changed'],
  ],
  [
    "a pool in place of another",
    pools(reports()),
    pools({ match: "", swarm: NINE }),
    [`pool "^reports-" removed`, `pool "" added with swarm ${NINE}, maxRunning 20`],
  ],
  [
    "the order of pools",
    pools(reports(), { match: "s$", hosts: [NINE] }),
    pools({ match: "s$", hosts: [NINE] }, reports()),
    ["pools in another order"],
  ],
  [
    "the order of a pool's hosts",
    pools(reports({ hosts: [SEVEN, NINE] })),
    pools(reports({ hosts: [NINE, SEVEN] })),
    ['pool "^reports-": hosts in another order'],
  ],
  [
    "how a host is reached",
    { ...pools(reports({ hosts: [TLS] })) },
    { ...pools(reports({ hosts: [TLS] })), hostAccess: { https: { caFile: "/CANARY.pem" } } },
    [`host ${TLS} reached in another way`],
  ],
  [
    "logins",
    { registries: { builder: login("CANARY"), "one.example": login("x"), gone: login("x") } },
    {
      registries: {
        builder: login("CANARY-2"),
        "one.example": login("x", { registry: "two.example" }),
        "ada:CANARY@new.example": login("CANARY"),
      },
    },
    [
      "registry gone removed",
      "registry new.example added",
      "registry builder's login changed",
      "registry one.example is now two.example",
    ],
  ],
  [
    "the order of logins",
    { registries: { a: login("x"), b: login("x") } },
    { registries: { b: login("x"), a: login("x") } },
    ["registries in another order"],
  ],
  [
    "webhooks",
    { webhooks: [{ url: "https://one.example/CANARY" }, { url: "https://two.example/" }] },
    { webhooks: [{ url: HOOK }] },
    ["2 webhooks removed", "webhook to hooks.example added"],
  ],
  [
    "a webhook's secret",
    { webhooks: [{ url: HOOK }, { url: HOOK, events: ["starts"] }] },
    {
      webhooks: [
        { url: HOOK, secret: `whsec_${btoa("CANARY".repeat(5))}` },
        { url: HOOK, events: ["starts"] },
      ],
    },
    ["webhook to hooks.example changed"],
  ],
])("a reload says of %s what has changed, and no secret", (_, before, after, sentences) => {
  const changes = changesOf(configWith(before), configWith(after));

  expect(changes).toMatchObject({ sentences, needRestart: [], notices: [] });
  expect(JSON.stringify(changes)).not.toContain("CANARY");
});

test("for programs the names of what has changed are fields", () => {
  const before = {
    ...pools(reports(), { match: "", hosts: [SEVEN] }),
    registries: { a: login("x"), b: login("x") },
    webhooks: [{ url: "https://one.example/" }],
  };
  const after = {
    ...pools(reports({ maxRunning: 1 }), { match: "b", hosts: [NINE] }),
    registries: { b: login("y") },
    webhooks: [{ url: "https://one.example/", retries: 3 }, { url: HOOK }],
  };

  expect(changesOf(configWith(before), configWith(after)).fields).toEqual({
    pools: { added: ["b"], removed: [""], changed: ["^reports-"] },
    hostAccess: [],
    registries: { added: [], removed: ["a"], changed: ["b"] },
    webhooks: { added: ["hooks.example"], removed: [], changed: ["one.example"] },
  });
});

test("keys that a reload does not take over are named, and not said to have changed", () => {
  const before = { port: 1, smtpHost: "a.example", retention: { logsDays: 1 } };
  const after = {
    port: 2,
    smtpHost: "b.example",
    retention: { logsDays: 2 },
    basicAuthUsername: "ada",
    basicAuthPassword: "CANARY",
  };

  const { sentences, needRestart } = changesOf(configWith(before), configWith(after));

  expect(sentences).toEqual([]);
  expect(needRestart).toEqual([
    "basicAuthPassword",
    "basicAuthUsername",
    "port",
    "retention",
    "smtpHost",
  ]);
});

test("a new password in smtpPasswordFile needs a restart", () => {
  const folder = mkdtempSync(join(tmpdir(), "fastlane-changes-"));
  const smtpPasswordFile = join(folder, "password");
  const read = (password: string) => {
    writeFileSync(smtpPasswordFile, password);
    return configWith({ smtpHost: "a.example", smtpUser: "ada", smtpPasswordFile });
  };

  const changes = changesOf(read("one"), read("two"));

  rmSync(folder, { recursive: true });
  expect(changes.needRestart).toEqual(["smtpPasswordFile"]);
});

test("what the file of Docker's logins has that is of no use is told once", () => {
  const folder = mkdtempSync(join(tmpdir(), "fastlane-changes-"));
  const dockerConfigFile = join(folder, "config.json");
  const read = (content: object) => {
    writeFileSync(dockerConfigFile, JSON.stringify(content));
    return configWith({ dockerConfigFile });
  };
  const none = read({});
  const helper = read({ credsStore: "desktop" });

  const told = [changesOf(none, helper), changesOf(helper, helper)].map(({ notices }) => notices);

  rmSync(folder, { recursive: true });
  expect(told).toEqual([[expect.stringContaining("credsStore")], []]);
});
