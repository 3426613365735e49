import { expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../src/config/load.ts";

const load = (environment: Record<string, string>) =>
  loadConfig({ environment, flags: {}, configFile: "/dev/null" });

const URL = "https://hooks.example/fastlane";

test.each([
  [{ FASTLANE_WEBHOOKS: '[{"url": "ftp://x"}]' }, "webhooks.0.url must be an http(s) URL"],
  [{ FASTLANE_WEBHOOKS: "[{}]" }, "webhooks.0.url must be given"],
  [
    { FASTLANE_WEBHOOKS: `[{"url": "${URL}", "events": ["ends"]}]` },
    "webhooks.0.events.0 must be a list of starts, succeeds, fails, finishes",
  ],
  [
    { FASTLANE_WEBHOOKS: `[{"url": "${URL}", "headers": {"Host": "x"}}]` },
    "webhooks.0.headers must be an object of strings",
  ],
  [{ FASTLANE_WEBHOOKS: `[{"url": "${URL}", "on": 1}]` }, "webhooks.0.on is no key"],
  [
    { FASTLANE_WEBHOOKS: `[{"url": "${URL}", "secret": "whsec_no base64"}]` },
    "webhooks.0.secret must be a text that is not empty, and behind whsec_ base64",
  ],
  [
    { FASTLANE_WEBHOOKS: `[{"url": "${URL}", "secretFile": "/dev/null"}]` },
    'webhooks.0.secretFile: what is in "/dev/null" must not be empty',
  ],
  [
    { FASTLANE_WEBHOOKS: `[{"url": "${URL}", "secret": "a", "secretFile": "/b"}]` },
    "webhooks.0 must have a secret or a secretFile, not both",
  ],
  [{ FASTLANE_SMTP_PORT: "25" }, "smtpHost must be given: smtpPort has no use without it"],
  [
    { FASTLANE_SMTP_HOST: "mail.example", FASTLANE_SMTP_USER: "ada" },
    "smtpUser must be given together with smtpPassword or smtpPasswordFile",
  ],
  [
    { FASTLANE_SMTP_HOST: "mail.example", FASTLANE_SMTP_FROM: "nobody" },
    "smtpFrom must be an e-mail address",
  ],
  [
    { FASTLANE_WEBHOOKS_EXPONENTIAL_BACKOFF_FACTOR: "0.5" },
    "webhooksExponentialBackoffFactor must be a number from 1 to 100",
  ],
] as const)("%j is refused with a sentence", (environment, sentence) => {
  expect(() => load(environment)).toThrow(sentence);
});

test("secrets may stand in files, and what is not said has its default", async () => {
  const folder = await mkdtemp(join(tmpdir(), "fastlane-telling-"));
  const secretFile = join(folder, "secret");
  await writeFile(secretFile, "whsec_c2VjcmV0\n");

  const { webhooks, smtp } = load({
    FASTLANE_WEBHOOKS: JSON.stringify([{ url: URL, secretFile }]),
    FASTLANE_SMTP_HOST: "mail.example",
    FASTLANE_SMTP_USER: "ada",
    FASTLANE_SMTP_PASSWORD_FILE: secretFile,
    FASTLANE_SMTP_USE_SSL: "true",
  });

  expect(webhooks).toEqual([
    { match: "", events: ["finishes"], url: URL, secret: "whsec_c2VjcmV0" },
  ]);
  expect(smtp).toEqual({
    host: "mail.example",
    port: 465,
    user: "ada",
    password: "whsec_c2VjcmV0",
    from: "fastlane@mail.example",
    useSsl: true,
  });
  expect(load({}).smtp).toBeNull();
  await rm(folder, { recursive: true });
});

test("a file that cannot be read is named", () => {
  const webhooks = JSON.stringify([{ url: URL, secretFile: "/no/such/secret" }]);

  expect(() => load({ FASTLANE_WEBHOOKS: webhooks })).toThrow(
    'webhooks.0.secretFile: cannot read the file "/no/such/secret": there is none',
  );
});
