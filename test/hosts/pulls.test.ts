import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestApp, type TestApp } from "../support/app.ts";
import {
  type Enqueued,
  enqueue,
  eventually,
  getExecution,
  untilEnded,
  untilExecution,
} from "../support/client.ts";
import { testEngine } from "../support/engine.ts";
import {
  type FaultRegistry,
  pushAbsentImage,
  startFaultRegistry,
} from "../support/fault-registry.ts";

const MANIFEST = /^GET .*\/manifests\//;
/** By its length: an image's configuration is a blob too. */
const LAYER = /^GET .*\/blobs\/.* \d{6,}$/;

let app: TestApp;
let registry: FaultRegistry;
const disposals = new AsyncDisposableStack();
beforeAll(async () => {
  registry = disposals.use(await startFaultRegistry(await testEngine()));
  app = disposals.use(await startTestApp());
});
afterAll(() => disposals.disposeAsync());

const textOf = async (url: string) => (await fetch(url)).text();
const pullTextOf = (job: Enqueued) => textOf(`${job.executionUrl}logs/?stream=pull`);
const stop = (job: Enqueued) => fetch(`${job.executionUrl}stop/`, { method: "POST" });
const absentImage = async () => pushAbsentImage((await testEngine()).docker, registry);
const manifestRequestsOf = (image: string) =>
  registry.requests.filter(
    (line) => MANIFEST.test(line) && line.includes(image.split("/")[1] ?? "-"),
  );

/** A layer of an image is held by the registry; its pull has begun. */
async function heldPull(payload: Record<string, unknown> = {}) {
  const { image } = await absentImage();
  const hold = registry.hold(LAYER);
  const job = await enqueue(app.url, "pulls", { image, command: "echo ran", ...payload });
  return { image, job, blob: await hold };
}

test.each(["always", "missing"])(
  "how a pull went on (%s) is a stream of its own, before what the container wrote",
  async (pullPolicy) => {
    const { image, digest } = await absentImage();
    const command = ["sh", "-c", "echo out; echo err >&2"];

    const job = await enqueue(app.url, "pulls", { image, command, pullPolicy });
    const ended = await untilEnded(job);

    expect(ended).toMatchObject({ status: "done", log: "out\n", error: "err\n" });
    const pull = await pullTextOf(job);
    expect(pull).toMatch(/^latest: Pulling from image-/);
    for (const status of ["Pulling fs layer", "Download complete", "Pull complete"]) {
      expect(pull.match(new RegExp(`^[0-9a-f]{12}: ${status}$`, "gm"))).toHaveLength(1);
    }
    expect(pull).toEndWith(
      `Digest: ${digest}\nStatus: Downloaded newer image for ${image}:latest\n`,
    );
    expect(await textOf(`${job.jobUrl}/logs/?stream=pull`)).toBe(pull);
    expect(await textOf(`${job.executionUrl}logs/?stream=pull&tail=1`)).toBe(
      `Status: Downloaded newer image for ${image}:latest\n`,
    );
    // Nowhere else.
    expect(await textOf(`${job.executionUrl}logs/`)).toBe("out\n\n-=-\nerr\n");
    expect(await textOf(`${job.executionUrl}logs/?stream=stdout`)).toBe("out\n");
    expect(await textOf(`${job.executionUrl}logs/?stream=stderr`)).toBe("err\n");
    expect(await textOf(`${job.executionUrl}stdout/`)).toBe("out\n");
    expect(await textOf(`${job.executionUrl}logs/?follow=true`)).not.toContain("Pull");
  },
);

test("what is there and need not be pulled has no stream of a pull", async () => {
  const job = await enqueue(app.url, "pulls", { command: "echo out" });
  await untilEnded(job);

  expect(await pullTextOf(job)).toBe("");
});

test("a pull can be followed while it lasts, to the end of the execution", async () => {
  const { job, blob } = await heldPull();
  const answer = await fetch(`${job.executionUrl}logs/?stream=pull&follow=true`);
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("Pulling fs layer")) text += (await reader?.read())?.value ?? "";

  const during = await getExecution(job);
  blob.release();
  for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
    text += part.value;
  }

  expect(during).toMatchObject({ status: "pulling", log: "" });
  expect(text).toContain("Pull complete");
  expect(text).toBe(await pullTextOf(job));
});

test("an image by its digest is pulled by it", async () => {
  const { image, digest } = await absentImage();

  const job = await enqueue(app.url, "pulls", { image: `${image}@${digest}`, command: "echo ran" });

  expect(await untilEnded(job)).toMatchObject({ status: "done", log: "ran\n" });
  expect(manifestRequestsOf(image).every((line) => line.endsWith(digest))).toBe(true);
  expect(await pullTextOf(job)).toContain(`Digest: ${digest}`);
});

test("five executions of one absent image make one pull, of which each tells", async () => {
  const { image, job, blob } = await heldPull({ pullPolicy: "always" });
  const payload = { image, command: "echo ran", pullPolicy: "always" };
  const others = await Promise.all(
    Array.from({ length: 4 }, () => enqueue(app.url, "pulls", payload)),
  );
  const jobs = [job, ...others];
  for (const each of jobs) await untilPullTells(each, "Pulling fs layer");

  blob.release();

  for (const each of jobs) {
    expect(await untilEnded(each)).toMatchObject({ status: "done", log: "ran\n" });
    expect(await pullTextOf(each)).toBe(await pullTextOf(job));
  }
  expect(manifestRequestsOf(image)).toHaveLength(1);
  // One that comes after it pulls anew.
  await untilEnded(await enqueue(app.url, "pulls", payload));
  const asked = registry.requests.filter((line) => /^HEAD .*manifests/.test(line));
  expect(asked.filter((line) => line.includes(image.split("/")[1] ?? "-"))).toHaveLength(2);
});

test("one of those who wait for a pull can be stopped; the others get the image", async () => {
  const { image, job, blob } = await heldPull();
  const other = await enqueue(app.url, "pulls", { image, command: "echo ran" });
  await untilPullTells(other, "Pulling fs layer");

  await stop(job);
  const stopped = await untilEnded(job);
  blob.release();

  expect(stopped).toMatchObject({ status: "stopped", exitCode: null });
  expect(await untilEnded(other)).toMatchObject({ status: "done", log: "ran\n" });
  expect(manifestRequestsOf(image)).toHaveLength(1);
});

test("when the last of them is stopped the engine's pull ends: the next one does not wait for it", async () => {
  const { image, job } = await heldPull();
  const other = await enqueue(app.url, "pulls", { image, command: "echo ran" });
  await untilPullTells(other, "Pulling fs layer");

  await Promise.all([stop(job), stop(other)]);

  expect(await untilEnded(job)).toMatchObject({ status: "stopped" });
  expect(await untilEnded(other)).toMatchObject({ status: "stopped" });
  await runsByAPullOfItsOwn(image);
});

test.each([
  ["the manifest", /^GET .*\/manifests\//],
  ["a layer", LAYER],
])("a pull in which %s takes longer than the timeout fails, and really ends", async (_, what) => {
  const { image } = await absentImage();
  const hold = registry.hold(what);

  const job = await enqueue(app.url, "pulls", { image, command: "echo ran", timeout: 1 });
  await hold;
  const ended = await untilEnded(job);

  const sentence = `The pull of "${image}:latest" took longer than 1 s, the execution's timeout, and was given up`;
  expect(ended).toMatchObject({ status: "failed", failureCause: "pull_failed", exitCode: null });
  expect(ended.error).toBe(sentence);
  expect(await pullTextOf(job)).toEndWith(`Failed: ${sentence}\n`);
  await runsByAPullOfItsOwn(image);
});

/**
 * The engine lets a pull join one that is under way: while the registry's first answer stands still,
 * another gets the image only if the first has really ended.
 */
async function runsByAPullOfItsOwn(image: string): Promise<void> {
  const next = await enqueue(app.url, "pulls", { image, command: "echo ran" });

  expect(await untilEnded(next, 30_000)).toMatchObject({ status: "done", log: "ran\n" });
}

test("?stream= takes the three streams alone", async () => {
  const job = await enqueue(app.url, "pulls", { command: "true" });
  await untilExecution(job, ({ status }) => status === "done");

  const answer = await fetch(`${job.executionUrl}logs/?stream=both`);

  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({
    error: '"stream" must be stdout, stderr or pull',
  });
});

async function untilPullTells(job: Enqueued, words: string): Promise<void> {
  await eventually(
    async () => ((await pullTextOf(job)).includes(words) ? true : undefined),
    () => `the pull for ${job.executionId} does not tell "${words}"`,
  );
}
