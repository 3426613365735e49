import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../src/config/load.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import { type Enqueued, enqueue, eventually, getExecution, untilEnded } from "../support/client.ts";
import { testEngine } from "../support/engine.ts";
import {
  type FaultRegistry,
  pushAbsentImage,
  startFaultRegistry,
} from "../support/fault-registry.ts";

const PASSWORD = "correct-horse";
const MANIFEST = /\/manifests\//;

let app: TestApp;
/** Asks for a password. */
let locked: FaultRegistry;
let lockedImage: string;
/** For what a registry may answer. */
let moody: FaultRegistry;
let folder: string;
const disposals = new AsyncDisposableStack();
beforeAll(async () => {
  const engine = await testEngine();
  locked = disposals.use(await startFaultRegistry(engine, { ada: PASSWORD }));
  moody = disposals.use(await startFaultRegistry(engine));
  const login = { username: "ada", password: PASSWORD };
  lockedImage = (await pushAbsentImage(engine.docker, locked, login)).image;
  app = disposals.use(await startTestApp());
  folder = await mkdtemp(join(tmpdir(), "fastlane-logins-"));
  disposals.defer(() => rm(folder, { recursive: true }));
});
afterAll(() => disposals.disposeAsync());

const pulling = { pullPolicy: "always", command: "echo ran" };

async function fileOf(content: unknown): Promise<string> {
  const path = join(folder, crypto.randomUUID());
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

/** The service with the logins of a configuration. */
async function appWith(registries: Record<string, unknown>, dockerConfig: unknown = {}) {
  const environment = {
    FASTLANE_REGISTRIES: JSON.stringify(registries),
    FASTLANE_DOCKER_CONFIG_FILE: await fileOf(dockerConfig),
  };
  const config = loadConfig({ environment, flags: {}, configFile: "/dev/null" });
  return await startTestApp({ config: { registries: config.registries } });
}

test.each<[string, () => Promise<[Record<string, unknown>, unknown?]>, string | null]>([
  [
    "a table of the configuration",
    async () => [{ [locked.name]: { username: "ada", password: PASSWORD } }],
    null,
  ],
  [
    "a file with the password",
    async () => [
      { [locked.name]: { username: "ada", passwordFile: await fileOf(`${PASSWORD}\n`) } },
    ],
    null,
  ],
  [
    "Docker's config.json",
    async () => [
      {},
      { auths: { [`http://${locked.name}/v1/`]: { auth: btoa(`ada:${PASSWORD}`) } } },
    ],
    null,
  ],
  [
    "a login that the payload names",
    async () => [
      {
        [locked.name]: { username: "ada", password: "wrong" },
        builder: { registry: locked.name, username: "ada", password: PASSWORD },
      },
    ],
    "builder",
  ],
])("a registry that asks for a password gives an image to %s", async (_, logins, registryAuth) => {
  await using own = await appWith(...(await logins()));

  const job = await enqueue(own.url, "logins", {
    ...pulling,
    image: lockedImage,
    ...(registryAuth === null ? {} : { registryAuth }),
  });

  expect(await untilEnded(job)).toMatchObject({ status: "done", log: "ran\n" });
});

test.each<[string, Record<string, string> | null]>([
  ["no login", null],
  ["a wrong password", { username: "ada", password: "not-her-password" }],
])("with %s the execution ends as pull_denied, and no password is told", async (_, login) => {
  await using own = await appWith(login === null ? {} : { [locked.name]: login });

  const job = await enqueue(own.url, "logins", { ...pulling, image: lockedImage });
  const ended = await untilEnded(job);

  expect(ended).toMatchObject({ status: "failed", failureCause: "pull_denied", exitCode: null });
  const told = await Promise.all(
    [job.jobUrl, job.executionUrl, `${job.executionUrl}logs/?stream=pull`].map(async (url) =>
      (await fetch(url)).text(),
    ),
  );
  expect([...told, ...own.complaints].join("\n")).not.toContain("not-her-password");
});

test.each<[string, number, string, string]>([
  ["401", 401, "", "pull_denied"],
  ["403", 403, "", "pull_denied"],
  ["403 that says why", 403, '{"errors":[{"code":"DENIED","message":"no"}]}', "pull_denied"],
  ["404", 404, "", "image_not_found"],
  ["404 that says why", 404, '{"errors":[{"code":"NAME_UNKNOWN"}]}', "image_not_found"],
])("a registry that answers %s ends the execution", async (_, status, body, failureCause) => {
  const repo = `r-${crypto.randomUUID()}`;
  moody.answer(new RegExp(`/${repo}/manifests/`), status, body);

  const job = await enqueue(app.url, "moody", { ...pulling, image: `${moody.name}/${repo}` });

  expect(await untilEnded(job)).toMatchObject({ status: "failed", failureCause, exitCode: null });
});

test.each<[string, number | null, number]>([
  // One pull asks by HEAD and by GET, unless the connection breaks.
  ["answers 429", 429, 2],
  ["answers 500", 500, 2],
  ["answers 503", 503, 2],
  ["breaks the connection off", null, 1],
])("a registry that %s puts the execution back, and it runs later", async (_, status, times) => {
  await using busy = await startFaultRegistry(await testEngine());
  busy.answer(MANIFEST, status, "", times);

  const job = await enqueue(app.url, "busy", { ...pulling, image: `${busy.name}/busybox` });
  const ended = await untilEnded(job);

  expect(ended).toMatchObject({ status: "done", log: "ran\n", metadata: { retry: 0 } });
  const putBack = app.complaints.filter((line) => line.includes(job.executionId));
  expect(putBack).toEqual([expect.stringMatching(/^put back /)]);
  // Of both tries it is told how they went.
  const pull = await (await fetch(`${job.executionUrl}logs/?stream=pull`)).text();
  expect(pull).toMatch(/^Failed: [^\n]+\nlatest: Pulling from busybox\n/);
});

test("a registry that nobody answers for puts the execution back, and `why` says it", async () => {
  const job = await enqueue(app.url, "busy", { ...pulling, image: "127.0.0.1:1/busybox" });

  const summary = await eventually(
    async () => {
      const why = (await (await fetch(`${job.executionUrl}why/`)).json()) as {
        summary: string;
        reasons: { code: string }[];
      };
      return why.reasons.some(({ code }) => code === "put_back") ? why.summary : undefined;
    },
    () => "it was not put back",
  );
  await stopped(job);

  expect(summary).toContain("connection refused");
});

test.each([
  ["whose TLS is not to be trusted", () => moody.untrusted, "server gave HTTP response to HTTPS"],
  ["that cannot be found by its name", () => "no-such-registry.example", "no-such-registry"],
])("a registry %s ends the execution as pull_failed", async (_, name, words) => {
  const job = await enqueue(app.url, "wrong", { ...pulling, image: `${name()}/busybox` });

  const ended = await untilEnded(job);

  expect(ended).toMatchObject({ status: "failed", failureCause: "pull_failed", exitCode: null });
  expect(ended.error).toContain(words);
});

async function stopped(job: Enqueued): Promise<void> {
  await fetch(`${job.executionUrl}stop/`, { method: "POST" });
  await untilEnded(job);
  expect(await getExecution(job)).toMatchObject({ status: "stopped" });
}
