import { afterAll, beforeAll, expect, test } from "bun:test";
import { openStore } from "../../src/store/connect.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import {
  type ExecutionJson,
  enqueue,
  getExecution,
  untilEnded,
  untilExecution,
} from "../support/client.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const run = (script: string) => enqueue(app.url, "sizes", { command: ["sh", "-c", script] });

test.each([
  ["nothing", "true", 0, 0],
  ["lines on both streams", "echo one; echo two >&2; echo three", 14, 3],
  ["a last line without its end on each stream", "echo one; printf two; printf err >&2", 10, 3],
  ["empty lines and NUL bytes", "printf 'a\\0b\\n\\n\\n'", 6, 3],
  ["a line of 100,000 bytes", "head -c 100000 /dev/zero | tr '\\0' x; echo", 100_001, 1],
  ["100,000 lines", "seq 1 100000", 588_895, 100_000],
  ["1 MB of bytes without any newline", "head -c 1000000 /dev/zero", 1_000_000, 1],
])("of a container that writes %s the size is told as it was", async (_, script, bytes, lines) => {
  const ended = await untilEnded(await run(script));

  expect(ended).toMatchObject({ logState: "complete", logBytes: bytes, logLines: lines });
  expect(ended.logDropped).toBeUndefined();
});

async function newestListed(): Promise<unknown> {
  const answer = await fetch(`${app.url}/executions/?task=sizes&limit=1`);
  return ((await answer.json()) as { items: unknown[] }).items[0];
}

test("while it runs the size is that of what there is so far, and nothing is said of the whole", async () => {
  const job = await run("echo one; echo two >&2; trap 'exit 0' TERM; while :; do sleep 0.1; done");
  const running = await untilExecution(job, ({ log, error }) => log !== "" && error !== "");
  const listed = await newestListed();

  expect(running).toMatchObject({ logState: null, logBytes: 8, logLines: 2 });
  expect(listed).toMatchObject({ logState: null, logBytes: null, logLines: null });
  await fetch(`${job.executionUrl}/stop/`, { method: "POST" });
  expect((await untilEnded(job)).logState).toBe("complete");
  expect(await newestListed()).toMatchObject({ logState: "complete", logBytes: 8, logLines: 2 });
});

test("an execution whose log is no longer kept says so, and shows its size all the same", async () => {
  const well = await run("echo gone");
  const ill = await run("echo kept; exit 1");
  await untilEnded(well);
  await untilEnded(ill);
  const store = openStore({ address: app.database.address, max: 1 });
  await store.sql`UPDATE fastlane.log_days SET kept = 'failed'`;

  const [dropped, kept] = [await getExecution(well), await getExecution(ill)];
  const answer = await fetch(`${app.url}/executions/?task=sizes&limit=2`);
  const { items } = (await answer.json()) as { items: ExecutionJson[] };
  await store.sql`UPDATE fastlane.log_days SET kept = 'all'`;
  await store.close();

  expect(dropped).toMatchObject({ logDropped: true, logState: "complete", logBytes: 5 });
  expect(kept.logDropped).toBeUndefined();
  expect(items.map(({ logDropped }) => logDropped)).toEqual([undefined, true]);
});

test("an execution that never began has a whole log of nothing", async () => {
  const job = await enqueue(app.url, "sizes", { image: "no/such-image", command: "true" });

  await untilEnded(job);

  const ended = await getExecution(job);
  expect(ended).toMatchObject({ status: "failed", logState: "complete", logBytes: 0, logLines: 0 });
});
