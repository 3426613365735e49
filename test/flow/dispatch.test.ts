import { expect, test } from "bun:test";
import { startTestApp } from "../support/app.ts";
import { enqueue, untilEnded, untilExecution } from "../support/client.ts";
import { testEngine } from "../support/engine.ts";
import { migratedDatabase } from "../support/store.ts";

async function onePool(maxRunning: number) {
  const { host } = await testEngine();
  return { dockerHosts: [{ match: "", hosts: [host], maxRunning }] };
}

test("two nodes together never run more than maxRunning at once", async () => {
  await using database = await migratedDatabase();
  const config = await onePool(3);
  await using first = await startTestApp({ config, database });
  await using second = await startTestApp({ config, database });

  const jobs = await Promise.all(
    Array.from({ length: 12 }, (_, i) =>
      enqueue((i % 2 === 0 ? first : second).url, "limit", { command: "sleep 0.5" }),
    ),
  );
  const ends = await Promise.all(jobs.map((job) => untilEnded(job)));

  expect(ends.every(({ status }) => status === "done")).toBe(true);
  const moments = ends.flatMap(({ startedAt, finishedAt }) => [
    { at: Date.parse(startedAt ?? ""), step: 1 },
    { at: Date.parse(finishedAt ?? ""), step: -1 },
  ]);
  // At one and the same millisecond, what ends makes room for what starts.
  moments.sort((left, right) => left.at - right.at || left.step - right.step);
  let running = 0;
  const most = Math.max(...moments.map(({ step }) => (running += step)));
  expect(most).toBeLessThanOrEqual(3);
  expect(most).toBeGreaterThan(1);
});

test("what waits starts by priority, then by age", async () => {
  await using app = await startTestApp({ config: await onePool(1) });
  const first = await enqueue(app.url, "order", { command: "sleep 2" });
  await untilExecution(first, ({ status }) => status === "running");

  const jobs = [];
  for (const priority of [0, -5, 10, 0, 10]) {
    jobs.push(await enqueue(app.url, "order", { command: "true", priority }));
  }
  const ends = await Promise.all(jobs.map((job) => untilEnded(job)));

  const started = ends.map(({ startedAt }) => Date.parse(startedAt ?? ""));
  const order = [0, 1, 2, 3, 4].sort((left, right) => (started[left] ?? 0) - (started[right] ?? 0));
  expect(order).toEqual([2, 4, 0, 3, 1]);
});
