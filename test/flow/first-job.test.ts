import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestApp, type TestApp } from "../support/app.ts";
import { enqueue, untilEnded } from "../support/client.ts";
import { containersOf, testEngine } from "../support/engine.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

test("a job that fails shows its exit code, both streams, its times and where it ran", async () => {
  const { host } = await testEngine();

  const job = await enqueue(app.url, "first", {
    command: 'sh -c "echo out; echo err >&2; exit 3"',
  });
  const ended = await untilEnded(job);

  expect(ended).toMatchObject({
    status: "failed",
    failureCause: "exit_code",
    exitCode: 3,
    log: "out\n",
    error: "err\n",
    image: "busybox",
    command: 'sh -c "echo out; echo err >&2; exit 3"',
    metadata: { docker_host: host, docker_port: null },
  });
  expect(ended.metadata.container_id).toMatch(/^[0-9a-f]{64}$/);
  expect(Date.parse(ended.startedAt ?? "")).toBeLessThanOrEqual(Date.parse(ended.finishedAt ?? ""));
});

test("an execution that has ended leaves no container behind", async () => {
  const { docker } = await testEngine();
  const proxied = await enqueue(app.url, "first", { command: "true" });
  await untilEnded(proxied);

  const left = await containersOf(docker, app.database.installation);

  expect(left.filter(({ State }) => State === "running")).toEqual([]);
});
