import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { openStore, type Store } from "../../src/store/connect.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import { countRows, errorOf, post } from "./request.ts";

const GOOD = { image: "busybox", command: "true" };
/** Stands in every wrong value, and in no answer. */
const SENT = "Zq9";

let app: TestApp;
let store: Store;
let rowsBefore: number;
beforeAll(async () => {
  app = await startTestApp({ roles: { api: true, worker: false } });
  store = openStore({ address: app.database.address, max: 1 });
});
afterAll(async () => {
  await store.close();
  await app[Symbol.asyncDispose]();
});
beforeEach(async () => {
  rowsBefore = await countRows(store);
});
afterEach(async () => {
  expect(await countRows(store)).toBe(rowsBefore);
});

const url = `http://${SENT}.example`;
const WHOLE_0_100 = "must be a whole number from 0 to 100";
const MOMENT = "must be a UNIX timestamp in seconds, or ISO 8601";
const MEMORY = "must be a size such as 512m or 2g";
const DURATION = "must be a duration such as 2h30m50s";
const EMAIL = "must be an e-mail address";

test.each<[path: string, allowed: string, value: unknown]>([
  ["image", "must be a string", 7],
  ["image", "must be an image reference", `Not ${SENT}`],
  ["image", "must be an image reference", `${SENT.toLowerCase()}:`],
  ["image", "must have at most 500 characters", SENT.toLowerCase().repeat(200)],
  ["command", "must be a string or an array of strings", { run: SENT }],
  ["command", "must close every quote", `echo '${SENT}`],
  ["command", "must be a string", ["echo", 1]],
  ["envs", "must be an object of strings", [SENT]],
  ["envs.A", "must be a string, number or boolean", { A: [SENT] }],
  ["envs.A=", 'must not have "="', { "A=": SENT }],
  ["metadata", "must be an object", SENT],
  ["metadata", "must be an object", [SENT]],
  ["metadata", "must be an object", null],
  ["startIn", DURATION, SENT],
  ["startIn", DURATION, "-1h"],
  ["startIn", DURATION, "1.5h"],
  ["startIn", DURATION, "10"],
  ["startAt", MOMENT, SENT],
  ["startAt", MOMENT, -1],
  ["startAt", MOMENT, "2026-02-30T00:00:00Z"],
  ["cron", "must be a cron expression of five or six fields", SENT],
  ["cron", "must be a cron expression of five or six fields", "* * * *"],
  ["cron", "must name a time that comes", "0 0 30 2 *"],
  ["timezone", "must come with cron", "Europe/Berlin"],
  ["timezone", "must be an IANA time zone", `Mars/${SENT}`],
  ["overlap", 'must be "allow", "skip" or "queue"', SENT],
  ["overlap", "must come with cron", "skip"],
  ["catchUp", 'must be "none", "last" or "all"', SENT],
  ["catchUp", "must come with cron", "last"],
  ["notify", "must be an object", SENT],
  ["notify", "must be an object", []],
  ["webhooks", "must be an object", [SENT]],
  ["backoff", "must be an object", []],
  ["resources", "must be an object", []],
  ["notify.fails.0", EMAIL, { fails: [SENT] }],
  ["notify.fails.0", EMAIL, { fails: [`a@b.example\r\nBcc: ${SENT}`] }],
  ["notify.succeeds", "must be a list", { succeeds: `${SENT}@b.example` }],
  ["notify.always", "is not a known key", { always: [SENT] }],
  ["webhooks.fails.0.url", "must be an http(s) URL", { fails: [{ url: SENT }] }],
  ["webhooks.fails.0.url", "must be an http(s) URL", { fails: [{ url: "file:///a" }] }],
  ["webhooks.fails.0.body", "is not a known key", { fails: [{ url, body: SENT }] }],
  ["webhooks.fails.0.method", 'must be "POST"', { fails: [{ url, method: SENT }] }],
  ["webhooks.fails.0.retries", WHOLE_0_100, { fails: [{ url, retries: 101 }] }],
  [
    "webhooks.fails.0.headers",
    "must be an object of strings",
    { fails: [{ url, headers: { "X-A": `${SENT}\n` } }] },
  ],
  ["retries", WHOLE_0_100, -1],
  ["retries", WHOLE_0_100, 101],
  ["retries", WHOLE_0_100, 1.5],
  ["retries", WHOLE_0_100, SENT],
  ["backoff.minMs", "must be a whole number from 1", { minMs: 0 }],
  ["backoff.factor", "must be a number from 1 to 100", { factor: 0.5 }],
  ["backoff.jitter", "must be true or false", { jitter: SENT }],
  ["backoff.maxMs", "must not be below minMs", { minMs: 9, maxMs: 8 }],
  ["retryOn", "must be a list", SENT],
  ["retryOn.0", "must be a whole number from 1 to 255", [0]],
  ["retryOn.1", "must be a whole number from 1 to 255", [1, 256]],
  ["expiration", MOMENT, SENT],
  ["timeout", "must be a whole number from 1", 0],
  ["timeout", "must be a whole number from 1", `${SENT}s`],
  ["priority", "must be a whole number from -100 to 100", 101],
  ["priority", "must be a whole number from -100 to 100", -101],
  ["concurrencyKey", "must not be empty", ""],
  ["concurrencyKey", "must have at most 200 characters", SENT.repeat(100)],
  ["concurrencyLimit", "must come with concurrencyKey", 2],
  ["concurrencyLimit", "must be a whole number from 1", 0],
  ["idempotencyKey", "must not be empty", ""],
  ["idempotencyKey", "must be a string", 1],
  ["onHostLost", 'must be "fail" or "rerun"', SENT],
  ["pullPolicy", 'must be "always", "missing" or "never"', SENT],
  ["registryAuth", "must be the name of a login in registries", SENT],
  ["registryAuth", "must be a string", { username: "u", password: SENT }],
  ["resources", "must be an object", SENT],
  ["resources.cpus", "must be a number from 0.01 to 1024", { cpus: 0 }],
  ["resources.memory", MEMORY, { memory: SENT }],
  ["resources.memory", MEMORY, { memory: "5m" }],
  ["resources.pids", "must be a whole number from 1", { pids: 0 }],
  ["resources.swap", "is not a known key", { swap: SENT }],
  ["network", "must be the name of a Docker network", `container:${SENT}`],
  ["user", "must be user or user:group", `${SENT} 0`],
  ["workdir", "must be an absolute path", SENT],
  ["additionalDNSEntries", "must be an object of host names", { "a.example": SENT }],
  ["additionalDNSEntries", "must be an object of host names", { "a b": "10.0.0.1" }],
])("%s: a wrong one is a 400 that names it and says that it %s", async (path, allowed, value) => {
  const [key = ""] = path.split(".");
  const body = JSON.stringify({ ...GOOD, [key]: value });

  const { issues, error } = await errorOf(await post(app, "/tasks/wrong/", body), 400);

  expect(issues?.map((issue) => issue.path)).toEqual([path]);
  expect(issues?.[0]?.message).toStartWith(allowed);
  expect(error.toLowerCase()).not.toContain(SENT.toLowerCase());
  expect(JSON.stringify(issues).toLowerCase()).not.toContain(SENT.toLowerCase());
});

test.each<[string, unknown, string?]>([
  ["network", "host", "networks"],
  ["network", "bridge", "networks"],
  ["user", "0", "users"],
  ["user", "nobody", "users"],
  ["workdir", "/tmp"],
  ["additionalDNSEntries", { "db.example": "10.0.0.1" }],
])(
  "network, user, workdir, additionalDNSEntries: %s %j is a 403 where it is not allowed",
  async (key, value, rule = key) => {
    const body = JSON.stringify({ ...GOOD, [key]: value });

    const { issues, error } = await errorOf(await post(app, "/tasks/wrong/", body), 403);

    const message = `is not allowed by allow.${rule} of pool ""`;
    expect(issues).toEqual([{ path: key, message }]);
    expect(error).toBe(`Cannot enqueue: "${key}" ${message}`);
  },
);

test.each([
  ["binds"],
  ["volumes"],
  ["mounts"],
  ["privileged"],
  ["capAdd"],
  ["cap_add"],
  ["devices"],
  ["securityOpt"],
  ["pidMode"],
  ["HostConfig"],
  ["entrypoint"],
  ["labels"],
])("an unknown key such as %s is a 400 that names it", async (key) => {
  const body = JSON.stringify({ ...GOOD, [key]: ["/:/host"] });

  const { issues } = await errorOf(await post(app, "/tasks/wrong/", body), 400);

  expect(issues).toEqual([{ path: key, message: "is not a known key" }]);
});
