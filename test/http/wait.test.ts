import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestApp, type TestApp } from "../support/app.ts";
import { eventually, getExecution } from "../support/client.ts";
import { getJob, getJson, postTo } from "./answers.ts";
import { errorOf, jsonOf, post } from "./request.ts";

const TRAPS = "trap 'exit 0' TERM; echo up; while :; do sleep 0.1; done";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

function send(query: string, payload: object, task = "wait"): Promise<Response> {
  const body = JSON.stringify({ image: "busybox", pullPolicy: "missing", ...payload });
  return post(app, `/tasks/${task}/?${query}`, body);
}

test("?wait=N answers once the execution has ended, with it", async () => {
  const begun = performance.now();

  const answer = await jsonOf(await send("wait=60", { command: 'sh -c "echo out; exit 3"' }));

  expect(performance.now() - begun).toBeLessThan(30_000);
  const { execution, ...made } = answer;
  expect(execution).toMatchObject({ status: "failed", exitCode: 3, log: "out\n" });
  expect(execution).toEqual(await getExecution(made));
  expect(made.executionId).toBe(execution.executionId);
});

test("?wait=N answers after N seconds with the execution as it is, which runs on", async () => {
  const begun = performance.now();

  const { execution, ...made } = await jsonOf(
    await send("wait=2", { command: ["sh", "-c", TRAPS] }),
  );

  expect(performance.now() - begun).toBeWithin(1_900, 10_000);
  expect(execution).toMatchObject({ status: "running", exitCode: null, log: "up\n" });
  expect((await getExecution(made)).status).toBe("running");
  await postTo(made.jobUrl, "stop");
});

test("without ?wait the answer has no execution, with 0 it is not waited for", async () => {
  const without = await jsonOf(await send("", { command: "true" }));
  const zero = await jsonOf(await send("wait=0", { command: "true" }));

  expect(Object.keys(without)).not.toContain("execution");
  expect(zero.execution.executionId).toBe(zero.executionId);
});

test("?wait on a job that begins later does not wait", async () => {
  const begun = performance.now();

  const made = await jsonOf(await send("wait=60", { command: "true", startIn: "1h" }));

  expect(performance.now() - begun).toBeLessThan(10_000);
  expect([made.execution, made.executionId]).toEqual([null, null]);
  expect((await getJob(made)).scheduled).toBe(true);
});

test("?wait sees the end of an execution that is stopped", async () => {
  const waiting = send("wait=60", { command: ["sh", "-c", TRAPS] }, "stopped");
  const isUp = async () => {
    const { items } = await getJson(`${app.url}/executions/?task=stopped&status=running`);
    return items[0] as { url: string } | undefined;
  };
  const { url } = await eventually(isUp, () => "nothing runs");

  await postTo(url, "stop");

  const { execution } = await jsonOf(await waiting);
  expect(execution).toMatchObject({ status: "stopped", failureCause: "stopped" });
});

test.each([["61"], ["-1"], ["1.5"], ["x"], [""]])(
  "?wait=%s is refused, and nothing is made",
  async (wait) => {
    const before = (await jsonOf(await fetch(`${app.url}/tasks/wait/`))).total;

    const { error } = await errorOf(await send(`wait=${wait}`, { command: "true" }), 400);

    expect(error).toBe('"wait" must be a whole number from 0 to 60');
    expect((await jsonOf(await fetch(`${app.url}/tasks/wait/`))).total).toBe(before);
  },
);
