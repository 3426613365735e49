import { expect, test } from "bun:test";
import { poolsNeverReached } from "../../src/doctor/pools.ts";
import { about, look } from "./look.ts";

const SUBJECT = "configuration";
const LONG = "canary-3f90-long-enough";
const AUTH = { basicAuthUsername: "ada", basicAuthPassword: LONG };

test.each<[Record<string, unknown>, RegExp | null]>([
  [{}, null],
  [{ ...AUTH, host: "0.0.0.0", publicUrl: "https://fastlane.example" }, null],
  [{ dockerHosts: [{ hosts: ["tcp://127.0.0.1:1", "https://127.0.0.1:1"] }] }, null],
  [{ webhooks: [{ url: "http://localhost:1/" }] }, null],
  [{ requireAuthentication: true, host: "0.0.0.0", publicUrl: "https://fastlane.example" }, null],
  [{ host: "0.0.0.0" }, /^problem: host is "0.0.0.0", which other machines reach/],
  [{ publicUrl: "https://fastlane.example" }, /^warning: others reach it by publicUrl/],
  [
    { ...AUTH, publicUrl: "http://fastlane.example" },
    /^warning: passwords and tokens go .* clear text/,
  ],
  [{ ...AUTH, host: "0.0.0.0" }, /^warning: passwords and tokens go .* clear text/],
  [{ ...AUTH, basicAuthPassword: "short-3f90" }, /^warning: the password of "ada" has fewer/],
  [{ corsOrigins: ["*"] }, /^warning: corsOrigins has "\*"/],
  [{ webhooksAllowPrivate: true }, /^warning: webhooksAllowPrivate/],
  [{ webhooks: [{ url: "http://192.0.2.1/canary-3f90" }] }, /^warning: the webhook to 192.0.2.1/],
  [
    { dockerHosts: [{ hosts: ["tcp://127.0.0.2:1"] }, { match: "x", swarm: "tcp://192.0.2.1:1" }] },
    /^problem: .*swarm\+tcp:\/\/192.0.2.1:1 is reached in clear/,
  ],
  [
    { dockerHosts: [{ hosts: ["unix:///none"], allow: { users: ["*"] } }] },
    /^warning: .* any user/,
  ],
  [
    { dockerHosts: [{ hosts: ["unix:///none"], containers: { capabilities: ["cap_sys_admin"] } }] },
    /^warning: .* leaves its containers SYS_ADMIN/,
  ],
  [
    { dockerHosts: [{ hosts: ["unix:///none"], containers: { noNewPrivileges: false } }] },
    /^warning: .* gain powers by being run/,
  ],
  [{ dockerHosts: [{ hosts: ["unix:///none"], containers: {}, allow: {} }] }, null],
])("of %j is said: %p", async (config, words) => {
  const pools = config["dockerHosts"];
  // The pool that fits all comes last.
  const given = Array.isArray(pools) ? { ...config, dockerHosts: pools.toReversed() } : config;
  const found = await look({ config: given });

  const remarks = about(found, SUBJECT).filter((line) => !line.startsWith("ok"));
  expect(remarks).toEqual(words === null ? [] : [expect.stringMatching(words)]);
  expect(found.every(({ level, advice }) => level === "ok" || advice !== null)).toBe(true);
  expect(JSON.stringify(found)).not.toMatch(/canary-3f90|short-3f90/);
});

test.each([
  [["^a", "^ab"], ["^ab"]],
  [["a", "^xax"], ["^xax"]],
  [["^a.*", "^abc-[0-9]+"], ["^abc-[0-9]+"]],
  [["^ab", "^ab?"], []],
  [["^ab", "^ab|^c"], []],
  [["^a$", "^ab"], []],
  [["^a[0-9]", "^a1"], []],
  [["^b", "ab"], []],
  [["^ab", ""], []],
])("of the pools %j these can never get a task: %j", (matches, never) => {
  const found = poolsNeverReached(matches.map((match) => ({ match })));

  expect(found.map(({ match }) => match)).toEqual(never);
});
