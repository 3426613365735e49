import { expect, test } from "bun:test";
import { startTestApp } from "../support/app.ts";
import { eventually } from "../support/client.ts";
import { jsonOf } from "./request.ts";

const API_ONLY = { api: true, worker: false };
const READER = { image: "busybox", command: "true" };

test("a node that is told to stop answers on for a moment, and sends clients and proxies elsewhere", async () => {
  await using app = await startTestApp({ roles: API_ONLY });
  const ask = (path: string) => fetch(app.url + path, { keepalive: false });
  const before = await ask("/healthcheck/");
  const waiting = fetch(`${app.url}/tasks/reader/?wait=60`, {
    method: "POST",
    body: JSON.stringify(READER),
  });
  await eventually(
    async () => ((await ask("/tasks/reader/")).ok ? true : undefined),
    () => "the job is not made",
  );
  const begun = performance.now();

  const stopped = app.stop(700);
  const health = await ask("/healthcheck/");
  const other = await ask("/tasks/");
  const waited = await jsonOf(await waiting);
  await stopped;

  expect(before.status).toBe(200);
  expect(before.headers.get("connection")).not.toBe("close");
  expect(health.status).toBe(503);
  expect(await health.json()).toMatchObject({ errors: [{ source: "node" }], postgres: true });
  expect([other.status, other.headers.get("connection")]).toEqual([200, "close"]);
  // Who waits is answered when the time is over, with what there is.
  expect(waited.execution).toMatchObject({ status: "enqueued" });
  expect(performance.now() - begun).toBeWithin(700, 10_000);
  expect(ask("/")).rejects.toThrow();
});
