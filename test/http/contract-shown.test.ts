import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestApp, type TestApp } from "../support/app.ts";
import { type Enqueued, enqueue, getExecution } from "../support/client.ts";
import { testEngine } from "../support/engine.ts";
import { getJob, getJson, postTo } from "./answers.ts";
import { errorOf, jsonOf, post } from "./request.ts";

const GOOD = { image: "busybox", command: "true" };

let app: TestApp;
beforeAll(async () => {
  const { host } = await testEngine();
  const allow = { networks: [], users: ["nobody"], workdir: false, additionalDNSEntries: false };
  const config = {
    dockerHosts: [{ match: "", hosts: [host], maxRunning: 20, allow }],
    registries: { mine: { registry: "registry.example", username: "u", password: "p" } },
    hardExecutionTimeoutSeconds: 600,
  };
  app = await startTestApp({ config, roles: { api: true, worker: false } });
});
afterAll(() => app[Symbol.asyncDispose]());

const metadataOf = async (payload: Record<string, unknown>) =>
  (await getJob(await enqueue(app.url, "shown", { command: "true", ...payload }))).metadata;

test("image: it is shown as it was sent, with registry, port, tag or digest", async () => {
  const digest = `@sha256:${"a".repeat(64)}`;
  const images = ["busybox", "busybox:1", "registry.example:5000/team/tool:1.2", `tool${digest}`];

  for (const image of images) {
    const made = await enqueue(app.url, "shown", { command: "true", image });
    expect((await getExecution(made)).image).toBe(image);
  }
});

test.each([
  ["echo  'a b'\t\"c\" d\\ e $HOME", "echo  'a b'\t\"c\" d\\ e $HOME"],
  [["echo", "a b", "$HOME"], "echo 'a b' '$HOME'"],
])(
  "command: %j is shown as a line that a shell splits into the same words",
  async (sent, shown) => {
    const made = await enqueue(app.url, "shown", { command: sent });

    expect((await getExecution(made)).command).toBe(shown);
  },
);

test("envs: numbers and booleans become strings", async () => {
  const { envs } = await metadataOf({ envs: { A: "a", N: 1.5, B: false, EMPTY: "" } });

  expect(envs).toEqual({ A: "a", N: "1.5", B: "false", EMPTY: "" });
});

test("metadata: it is kept as metadata.custom", async () => {
  const metadata = { user: "ann", tags: [1, null, { deep: "é" }] };

  expect((await metadataOf({ metadata })).custom).toEqual(metadata);
  expect((await metadataOf({})).custom).toEqual({});
});

test("notify: it is shown, with an empty list for each event that has none", async () => {
  const notify = { starts: ["a@b.example"], fails: ["ops@b.example", "c@d.example"] };

  expect((await metadataOf({ notify })).notify).toEqual({ ...notify, succeeds: [], finishes: [] });
  expect((await metadataOf({})).notify).toEqual({ succeeds: [], fails: [], finishes: [] });
});

test("webhooks: they are shown, secrets and headers that tell who asks as ***", async () => {
  const hook = { url: "https://a.example/hook", method: "PUT", retries: 3, secret: "never-shown" };
  const headers = { Authorization: "never-shown", "X-Api-Key": "never-shown", "X-Plain": "shown" };

  const metadata = await metadataOf({ webhooks: { finishes: [{ ...hook, headers }] } });

  const shown = { Authorization: "***", "X-Api-Key": "***", "X-Plain": "shown" };
  const finishes = [{ ...hook, headers: shown, secret: "***" }];
  expect(metadata.webhooks).toEqual({ succeeds: [], fails: [], finishes });
  expect(JSON.stringify(metadata)).not.toContain("never-shown");
});

test("retries: 0 when absent, and shown", async () => {
  expect(await metadataOf({})).toMatchObject({ retries: 0, retry_count: 0 });
  expect(await metadataOf({ retries: 100 })).toMatchObject({ retries: 100, retry_count: 0 });
});

test("backoff: what is absent is the service's", async () => {
  const defaults = { minMs: 1_000, factor: 2, maxMs: 3_600_000, jitter: true };
  const backoff = { minMs: 5, factor: 1.5, maxMs: 50, jitter: false };

  expect((await metadataOf({})).backoff).toEqual(defaults);
  expect((await metadataOf({ backoff: { minMs: 7 } })).backoff).toEqual({ ...defaults, minMs: 7 });
  expect((await metadataOf({ backoff })).backoff).toEqual(backoff);
});

test("retryOn: all codes but 0 when absent, and shown", async () => {
  expect((await metadataOf({})).retryOn).toBeNull();
  expect((await metadataOf({ retryOn: [1, 255] })).retryOn).toEqual([1, 255]);
});

test("expiration: UNIX seconds and ISO 8601 are one moment", async () => {
  const expiration = "2100-01-01T00:00:00.000Z";

  expect((await metadataOf({ expiration })).expiration).toBe(expiration);
  expect((await metadataOf({ expiration: 4_102_444_800 })).expiration).toBe(expiration);
  expect((await metadataOf({})).expiration).toBeNull();
});

test("timeout: the lower of it and the service's hard limit counts", async () => {
  expect((await metadataOf({ timeout: 5 })).timeout).toBe(5);
  expect((await metadataOf({ timeout: 601 })).timeout).toBe(600);
  expect((await metadataOf({})).timeout).toBe(600);
});

test("priority: 0 when absent, -100 and 100 are taken", async () => {
  const shown = [{}, { priority: -100 }, { priority: 100 }].map(metadataOf);

  expect((await Promise.all(shown)).map(({ priority }) => priority)).toEqual([0, -100, 100]);
});

test("concurrencyKey, concurrencyLimit: shown, a key alone has the limit 1", async () => {
  const [alone, both, none] = await Promise.all([
    metadataOf({ concurrencyKey: "k" }),
    metadataOf({ concurrencyKey: "k", concurrencyLimit: 7 }),
    metadataOf({}),
  ]);

  expect(alone).toMatchObject({ concurrencyKey: "k", concurrencyLimit: 1 });
  expect(both).toMatchObject({ concurrencyKey: "k", concurrencyLimit: 7 });
  expect(Object.keys(none)).not.toContain("concurrencyKey");
});

test("onHostLost: fail when absent, rerun is taken", async () => {
  expect((await metadataOf({})).onHostLost).toBe("fail");
  expect((await metadataOf({ onHostLost: "rerun" })).onHostLost).toBe("rerun");
});

test("pullPolicy: always when absent, missing and never are taken", async () => {
  const made: Enqueued = await jsonOf(await post(app, "/tasks/shown/", JSON.stringify(GOOD)));

  expect((await getJob(made)).metadata.pullPolicy).toBe("always");
  for (const pullPolicy of ["always", "missing", "never"]) {
    expect((await metadataOf({ pullPolicy })).pullPolicy).toBe(pullPolicy);
  }
});

test("registryAuth: a login of the configuration is taken by its name, another is a 400", async () => {
  const own = { image: "registry.example/tool", registryAuth: "mine" };
  const shown = await metadataOf(own);
  const refused = async (keys: object) => {
    const body = JSON.stringify({ ...GOOD, ...keys });
    return (await errorOf(await post(app, "/tasks/shown/", body), 400)).issues;
  };

  const unknown = await refused({ ...own, registryAuth: "other" });
  const stranger = await refused({ ...own, image: "elsewhere.example/tool" });

  expect(shown.registryAuth).toBe("mine");
  const [path, must] = ["registryAuth", "must be"];
  expect(unknown).toEqual([
    { path, message: `${must} the name of a login in registries of the configuration` },
  ]);
  expect(stranger).toEqual([
    {
      path,
      message: `${must} a login for the image's registry, elsewhere.example: it is for another`,
    },
  ]);
});

test("resources: shown in numbers", async () => {
  const { resources } = await metadataOf({ resources: { cpus: 0.5, memory: "2g", pids: 50 } });

  expect(resources).toEqual({ cpus: 0.5, memoryBytes: 2 * 1024 ** 3, pids: 50 });
});

test("network, user, workdir, additionalDNSEntries: what is allowed is named in a refusal", async () => {
  const body = JSON.stringify({ ...GOOD, user: "root" });

  const { issues } = await errorOf(await post(app, "/tasks/shown/", body), 403);

  expect(issues?.[0]?.path).toBe("user");
  expect(issues?.[0]?.message).toStartWith("must be one of nobody: no other is allowed");
  expect((await metadataOf({ user: "nobody" })).user).toBe("nobody");
});

test.each([
  ["10s", 10],
  ["2m30s", 150],
  ["2h30m50s", 9_050],
  ["240h", 864_000],
  ["1h5s", 3_605],
])("startIn: %s is %d seconds from now, without an execution", async (startIn, seconds) => {
  const before = Date.now();
  const made = await enqueue(app.url, "later", { command: "true", startIn });
  const after = Date.now();

  const { scheduled, nextScheduledAt, executions } = await getJob(made);
  expect([made.executionId, made.executionUrl, executions]).toEqual([null, null, []] as unknown[]);
  expect(scheduled).toBe(true);
  expect(Date.parse(nextScheduledAt)).toBeWithin(
    before + seconds * 1_000,
    after + seconds * 1_000 + 1,
  );
});

test.each([
  [4_102_444_800, "2100-01-01T00:00:00.000Z"],
  ["2100-01-01T00:00:00.250Z", "2100-01-01T00:00:00.250Z"],
])("startAt: %p is scheduled for then", async (startAt, at) => {
  const made = await enqueue(app.url, "later", { command: "true", startAt });

  expect(made.executionId as string | null).toBeNull();
  expect(await getJob(made)).toMatchObject({ scheduled: true, nextScheduledAt: at });
});

test.each([[1_000_000_000], ["2001-09-09T01:46:40Z"]])(
  "startAt: %p is past and means now",
  async (startAt) => {
    const made = await enqueue(app.url, "later", { command: "true", startAt });

    expect((await getExecution(made)).status).toBe("enqueued");
    expect((await getJob(made)).scheduled).toBe(false);
  },
);

test("cron: five fields with timezone, overlap and catchUp are shown, with the next times", async () => {
  const keys = { cron: "30 3 * * *", timezone: "Asia/Kolkata", overlap: "skip", catchUp: "last" };
  const made = await enqueue(app.url, "cron", { command: "true", ...keys });

  const { metadata, scheduled, nextScheduledAt } = await getJob(made);
  const { schedule, next } = await getJson(`${made.jobUrl}/schedule/?count=3`);

  expect([made.executionId as string | null, scheduled]).toEqual([null, true]);
  expect(metadata).toMatchObject(keys);
  expect(schedule).toEqual({ ...keys, canceledAt: null });
  expect(next).toHaveLength(3);
  expect(next[0]).toEqual({
    at: nextScheduledAt,
    local: expect.stringMatching(/T03:30:00\+05:30$/),
  });
  expect(nextScheduledAt).toEndWith("T22:00:00.000Z");
});

test("cron: UTC, allow and none when absent; six fields begin with the seconds", async () => {
  const made = await enqueue(app.url, "cron", { command: "true", cron: "15 0 0 1 1 *" });

  const { metadata, nextScheduledAt } = await getJob(made);

  expect(metadata).toMatchObject({ timezone: "UTC", overlap: "allow", catchUp: "none" });
  expect(nextScheduledAt).toEndWith("-01-01T00:00:15.000Z");
  expect((await postTo(made.jobUrl, "stop")).status).toBe(200);
  expect(await getJob(made)).toMatchObject({ scheduled: false, nextScheduledAt: null });
});
