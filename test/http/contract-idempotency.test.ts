import { afterAll, beforeAll, expect, test } from "bun:test";
import { openStore, type Store } from "../../src/store/connect.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import type { Enqueued } from "../support/client.ts";
import { countRows, errorOf, jsonOf, post } from "./request.ts";

const GOOD = { image: "busybox", command: "true" };

let app: TestApp;
let store: Store;
beforeAll(async () => {
  app = await startTestApp({ roles: { api: true, worker: false } });
  store = openStore({ address: app.database.address, max: 1 });
});
afterAll(async () => {
  await store.close();
  await app[Symbol.asyncDispose]();
});

const send = (task: string, payload: object, headers: Record<string, string> = {}) =>
  post(app, `/tasks/${task}/`, JSON.stringify(payload), headers);

async function executionsOf(task: string): Promise<number> {
  const rows = await store.sql`SELECT FROM fastlane.executions WHERE task_id = ${task}`;
  return rows.length;
}

test.each([
  ["key", { ...GOOD, idempotencyKey: "k" }, {}],
  ["header", GOOD, { "idempotency-key": "k" }],
])(
  "idempotencyKey: 50 equal requests at once with it as %s make one execution",
  async (task, payload, headers) => {
    const requests = Array.from({ length: 50 }, () => send(task, payload, headers));

    const responses = await Promise.all(requests);

    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200]));
    const answers = await Promise.all(responses.map((response) => response.text()));
    expect(new Set(answers).size).toBe(1);
    expect(await executionsOf(task)).toBe(1);
  },
);

test("idempotencyKey: the answer comes again, also when the keys come in another order", async () => {
  const envs = { A: "1", B: "2" };
  const first = await send("again", { ...GOOD, envs, idempotencyKey: "k" });
  const body = { idempotencyKey: "k", envs: { B: "2", A: "1" }, command: "true", image: "busybox" };
  const before = await countRows(store);

  const second = await send("again", body);
  const byHeader = await send("again", body, { "idempotency-key": "k" });

  const answer = await first.text();
  expect([await second.text(), await byHeader.text()]).toEqual([answer, answer]);
  expect(await countRows(store)).toBe(before);
});

test("idempotencyKey: the same key by the header and in the body is the same request", async () => {
  const first = await send("mixed", { ...GOOD, idempotencyKey: "k" });

  const second = await send("mixed", GOOD, { "idempotency-key": "k" });

  expect(second.status).toBe(200);
  expect(await second.text()).toBe(await first.text());
});

test("idempotencyKey: with another body it is a 409, and nothing is made", async () => {
  await send("other", { ...GOOD, idempotencyKey: "k" });
  const before = await countRows(store);

  const inBody = await send("other", { ...GOOD, command: "false", idempotencyKey: "k" });
  const inHeader = await send("other", { ...GOOD, priority: 1 }, { "idempotency-key": "k" });

  await errorOf(inBody, 409);
  await errorOf(inHeader, 409);
  expect(await countRows(store)).toBe(before);
});

test("idempotencyKey: two different keys in header and body are a 400", async () => {
  const response = await send("two", { ...GOOD, idempotencyKey: "a" }, { "idempotency-key": "b" });

  const { error } = await errorOf(response, 400);

  expect(error).toBe("Idempotency-Key and idempotencyKey must be the same");
  expect(await executionsOf("two")).toBe(0);
});

test("idempotencyKey: it is a task's own, and lasts for 24 hours", async () => {
  const payload = { ...GOOD, idempotencyKey: "k" };
  const first: Enqueued = await jsonOf(await send("days", payload));
  const elsewhere: Enqueued = await jsonOf(await send("days-2", payload));
  const age = async (hours: number) => {
    await store.sql`UPDATE fastlane.idempotency_keys
      SET created_at = now() - make_interval(hours => ${hours}) WHERE task_id = 'days'`;
    return (await jsonOf(await send("days", payload))) as Enqueued;
  };

  const after23 = await age(23);
  const after25 = await age(25);

  expect(elsewhere.jobId).not.toBe(first.jobId);
  expect(after23).toEqual(first);
  expect(after25.jobId).not.toBe(first.jobId);
  expect(await executionsOf("days")).toBe(2);
});

test("idempotencyKey: a PUT with it makes one execution too", async () => {
  const url = `${app.url}/tasks/put/jobs/5a023792-1445-44e9-8a8b-cfe5ad05d1c6/`;
  const body = JSON.stringify({ ...GOOD, idempotencyKey: "k" });

  const answers = [];
  for (let i = 0; i < 3; i++)
    answers.push(await (await fetch(url, { method: "PUT", body })).text());

  expect(new Set(answers).size).toBe(1);
  expect(await executionsOf("put")).toBe(1);
});

test("idempotencyKey: a PUT of another job with it is a 409", async () => {
  const put = async (jobId: string) => {
    const body = JSON.stringify({ ...GOOD, idempotencyKey: "one" });
    return await fetch(`${app.url}/tasks/put-two/jobs/${jobId}/`, { method: "PUT", body });
  };

  const first = await put(crypto.randomUUID());
  const second = await put(crypto.randomUUID());

  expect(first.status).toBe(200);
  await errorOf(second, 409);
  expect(await executionsOf("put-two")).toBe(1);
});
