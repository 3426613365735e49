import { afterAll, beforeAll, expect, test } from "bun:test";
import type { PoolRule } from "../../src/core/pool.ts";
import { openStore, type Store } from "../../src/store/connect.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import { enqueue } from "../support/client.ts";
import { sendJson } from "../support/hosts.ts";
import { countRows, errorOf, jsonOf, post } from "./request.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
const GOOD = { image: `registry.example/team/tool@${DIGEST}`, command: "true" };
const HOST = "tcp://10.0.0.7:2375";
const POOL: PoolRule = {
  match: "^held-",
  hosts: [HOST],
  maxRunning: 20,
  allow: {
    images: ["registry.example/team/*"],
    digestsOnly: true,
    networks: ["jobs"],
    users: ["nobody"],
    workdir: false,
    additionalDNSEntries: false,
    maxCpus: 2,
    maxMemoryBytes: 2 ** 30,
    maxPids: 100,
  },
};
const OPEN: PoolRule = { match: "", hosts: [HOST], maxRunning: 20 };

const roles = { api: true, worker: false };
let app: TestApp;
let store: Store;
beforeAll(async () => {
  const config = {
    dockerHosts: [POOL, OPEN],
    registries: { other: { registry: "other.example", username: "u", password: "p" } },
  };
  app = await startTestApp({ config, roles });
  store = openStore({ address: app.database.address, max: 1 });
});
afterAll(async () => {
  await store.close();
  await app[Symbol.asyncDispose]();
});

const BREACHES: [rule: string, path: string, message: string, keys: Record<string, unknown>][] = [
  [
    "images",
    "image",
    "must fit registry.example/team/*: no other is",
    { image: `busybox@${DIGEST}` },
  ],
  [
    "digestsOnly",
    "image",
    "must have a digest: no tag is",
    { image: "registry.example/team/tool:1" },
  ],
  ["networks", "network", "must be one of jobs: no other is", { network: "none" }],
  ["users", "user", "must be one of nobody: no other is", { user: "0" }],
  ["workdir", "workdir", "is not", { workdir: "/tmp" }],
  [
    "additionalDNSEntries",
    "additionalDNSEntries",
    "is not",
    { additionalDNSEntries: { "db.example": "10.0.0.1" } },
  ],
  ["maxCpus", "resources.cpus", "must be at most 2: no more is", { resources: { cpus: 2.5 } }],
  [
    "maxMemory",
    "resources.memory",
    "must be at most 1g: no more is",
    { resources: { memory: "1025m" } },
  ],
  ["maxPids", "resources.pids", "must be at most 100: no more is", { resources: { pids: 101 } }],
];

test.each(BREACHES)(
  "a payload that breaks allow.%s is a 403 that names it, and makes nothing",
  async (rule, path, must, keys) => {
    const before = await countRows(store);
    const body = JSON.stringify({ ...GOOD, ...keys });
    const url = `/tasks/held-a/jobs/${crypto.randomUUID()}/`;

    const posted = await errorOf(await post(app, "/tasks/held-a/", body), 403);
    const put = await errorOf(await fetch(app.url + url, { method: "PUT", body }), 403);

    const message = `${must} allowed by allow.${rule} of pool "^held-"`;
    for (const { issues, error } of [posted, put]) {
      expect(issues).toEqual([{ path, message }]);
      expect(error).toBe(`Cannot enqueue: "${path}" ${message}`);
    }
    expect(await countRows(store)).toBe(before);
  },
);

test("what is allowed is taken, and another pool has its own policy", async () => {
  const within = { ...GOOD, network: "jobs", user: "nobody" };
  const resources = { cpus: 2, memory: "1g", pids: 100 };

  const held = await post(app, "/tasks/held-a/", JSON.stringify({ ...within, resources }));
  const open = await post(app, "/tasks/open/", JSON.stringify({ ...GOOD, image: "busybox" }));

  expect([held.status, open.status]).toEqual([200, 200]);
});

test("in a list, each rule that is broken is named at its payload's index", async () => {
  const before = await countRows(store);
  const payloads = [GOOD, ...BREACHES.map(([, , , keys]) => ({ ...GOOD, ...keys }))];

  const { issues, error } = await errorOf(
    await post(app, "/tasks/held-a/bulk/", JSON.stringify(payloads)),
    403,
  );

  expect(issues?.map((issue) => issue.path)).toEqual(
    BREACHES.map(([, path], index) => `${index + 1}.${path}`),
  );
  expect(error).toContain('"4.user" must be one of nobody');
  expect(await countRows(store)).toBe(before);
});

test("a login that does not fit the image is wrong under any policy, and so a 400", async () => {
  const wrong = { ...GOOD, registryAuth: "other" };
  const list = JSON.stringify([{ ...GOOD, user: "0" }, wrong]);

  const alone = await errorOf(await post(app, "/tasks/held-a/", JSON.stringify(wrong)), 400);
  const among = await errorOf(await post(app, "/tasks/held-a/bulk/", list), 400);

  expect(alone.issues?.map(({ path }) => path)).toEqual(["registryAuth"]);
  expect(among.issues?.map(({ path }) => path)).toEqual(["0.user", "1.registryAuth"]);
});

test("a job that is no longer allowed is not retried: a 403, and among many with its reason", async () => {
  const job = await enqueue(app.url, "was-open", { ...GOOD, resources: { pids: 200 } });
  const allow = { networks: [], users: [], workdir: false, additionalDNSEntries: false };
  const dockerHosts = [{ ...OPEN, allow: { ...allow, maxPids: 100 } }];
  await using tight = await startTestApp({
    database: app.database,
    config: { dockerHosts },
    roles,
  });
  const retry = `/tasks/was-open/jobs/${job.jobId}/retry/`;

  const refused = await errorOf(await post(tight, retry, undefined), 403);
  const many = await sendJson("POST", `${tight.url}/executions/retry/`, { task: "was-open" });
  const allowed = await post(app, retry, undefined);

  const message = 'must be at most 100: no more is allowed by allow.maxPids of pool ""';
  expect(refused.error).toBe(`Cannot retry: "resources.pids" ${message}`);
  expect(refused.issues).toEqual([{ path: "resources.pids", message }]);
  expect(many.body["skipped"]).toEqual([{ jobId: job.jobId, reason: refused.error }]);
  expect((await jsonOf(allowed)).jobId).toBe(job.jobId);
});
