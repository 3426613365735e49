import { afterAll, beforeAll, expect, test } from "bun:test";
import { openStore, type Store } from "../../src/store/connect.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import { type Enqueued, enqueue } from "../support/client.ts";
import { getJob, getJson } from "./answers.ts";
import { countRows, errorOf, jsonOf, post } from "./request.ts";

const GOOD = { image: "busybox", command: "true" };
const HOST = "tcp://10.0.0.7:2375";

let app: TestApp;
let store: Store;
beforeAll(async () => {
  const dockerHosts = [{ match: "", hosts: [HOST], maxRunning: 20 }];
  app = await startTestApp({ config: { dockerHosts }, roles: { api: true, worker: false } });
  store = openStore({ address: app.database.address, max: 1 });
  await store.sql`INSERT INTO fastlane.hosts (name) VALUES (${HOST})`;
});
afterAll(async () => {
  await store.close();
  await app[Symbol.asyncDispose]();
});

interface Listed {
  executionId: string;
  taskId: string;
  status: string;
  createdAt: string;
}

const list = async (query: string) =>
  (await getJson(`${app.url}/executions/?${query}`)) as {
    items: Listed[];
    nextCursor: string | null;
  };
const idsOf = (items: { executionId: string }[]) => items.map(({ executionId }) => executionId);
const bulk = (task: string, payloads: unknown) =>
  post(app, `/tasks/${task}/bulk/`, JSON.stringify(payloads));

async function makeMany(task: string, count: number): Promise<Enqueued[]> {
  return await jsonOf(
    await bulk(
      task,
      Array.from({ length: count }, () => GOOD),
    ),
  );
}

async function setEnded(execution: Enqueued) {
  await store.sql`UPDATE fastlane.executions SET status = 'failed', failure_cause = 'exit_code',
    exit_code = 1, host = ${HOST}, claimed_at = now(), started_at = now(), finished_at = now(),
    container_id = ${"a".repeat(64)} WHERE id = ${execution.executionId}`;
}

test("1,000 payloads make 1,000 jobs, answered in their order", async () => {
  const payloads = Array.from({ length: 1_000 }, (_, i) => ({ ...GOOD, metadata: { i } }));

  const response = await bulk("thousand", payloads);

  expect(response.status).toBe(200);
  const made: Enqueued[] = await jsonOf(response);
  expect(made).toHaveLength(1_000);
  expect(new Set(idsOf(made)).size).toBe(1_000);
  for (const i of [0, 1, 500, 999]) {
    const one = made[i] as Enqueued;
    expect((await getJob(one)).metadata.custom).toEqual({ i });
    expect(one.executionUrl).toBe(`${one.jobUrl}/executions/${one.executionId}/`);
  }
});

test("bulk: a payload may be scheduled, then it has no execution", async () => {
  const made = await jsonOf(await bulk("mixed", [GOOD, { ...GOOD, startIn: "1h" }]));

  const [now, later]: Enqueued[] = made;
  expect([typeof now?.executionId, later?.executionId as unknown]).toEqual(["string", null]);
});

test("bulk: all or none, and wrong ones are named by their index", async () => {
  const before = await countRows(store);
  const wrong = [GOOD, { ...GOOD, privileged: true }, GOOD, { image: "busybox" }, 7];

  const { issues } = await errorOf(await bulk("wrong", wrong), 400);

  expect(issues?.map(({ path }) => path)).toEqual(["1.privileged", "3.command", "4"]);
  expect(await countRows(store)).toBe(before);
});

test("bulk: what the configuration does not allow is refused for all", async () => {
  const before = await countRows(store);

  const wrong = [GOOD, { ...GOOD, network: "host" }, { ...GOOD, user: "root" }];
  const { issues } = await errorOf(await bulk("wrong", wrong), 403);

  expect(issues?.map(({ path }) => path)).toEqual(["1.network", "2.user"]);
  expect(await countRows(store)).toBe(before);
});

test("bulk: a key that two payloads have is refused by index, and one in a header is", async () => {
  const before = await countRows(store);
  const keyed = { ...GOOD, idempotencyKey: "twice" };
  const headers = { "idempotency-key": "whole" };

  const { issues } = await errorOf(await bulk("wrong", [keyed, GOOD, keyed]), 400);
  await errorOf(await post(app, "/tasks/wrong/bulk/", JSON.stringify([GOOD]), headers), 400);

  expect(issues?.map(({ path }) => path)).toEqual(["2.idempotencyKey"]);
  expect(await countRows(store)).toBe(before);
});

test("bulk: 1,001 payloads, none, and no list are refused", async () => {
  const before = await countRows(store);

  const tooMany = await errorOf(await bulk("wrong", Array(1_001).fill(GOOD)), 400);
  const none = await errorOf(await bulk("wrong", []), 400);
  await errorOf(await bulk("wrong", GOOD), 400);

  expect([tooMany.error, none.error]).toEqual(
    Array(2).fill("Cannot enqueue: the list must have 1 to 1000 payloads"),
  );
  expect(await countRows(store)).toBe(before);
});

test("executions are listed newest first, by task, status, host, since and until", async () => {
  const [first, second, third] = (await makeMany("listed", 3)) as [Enqueued, Enqueued, Enqueued];
  await setEnded(second);
  const { items } = await list("task=listed");
  await store.sql`UPDATE fastlane.executions SET created_at = created_at - interval '1 hour'
    WHERE id = ${first.executionId}`;
  const halfAnHourAgo = new Date(Date.now() - 1_800_000).toISOString();

  const filters = ["status=failed", "status=failed,enqueued", "status=done", "host=10.0.0.7:2375"];
  filters.push(`host=${HOST}`, "host=none:1", `since=${halfAnHourAgo}`, `until=${halfAnHourAgo}`);
  const found = await Promise.all(filters.map((filter) => list(`task=listed&${filter}`)));

  const ids = { 1: first.executionId, 2: second.executionId, 3: third.executionId };
  expect(idsOf(items)).toEqual([ids[3], ids[2], ids[1]]);
  expect(found.map((each) => idsOf(each.items))).toEqual([
    [ids[2]],
    [ids[3], ids[2], ids[1]],
    [],
    [ids[2]],
    [ids[2]],
    [],
    [ids[3], ids[2]],
    [ids[1]],
  ]);
});

test("the cursor leads through all of them, without a repeat or a gap while new ones come", async () => {
  const made = await makeMany("paged", 25);
  const seen: string[] = [];

  let query = "task=paged&limit=10";
  for (let page = 0; ; page++) {
    const { items, nextCursor } = await list(query);
    seen.push(...idsOf(items));
    await makeMany("paged", 3);
    if (nextCursor === null) break;
    expect([items.length, page < 3]).toEqual([10, true]);
    query = `task=paged&limit=10&cursor=${encodeURIComponent(nextCursor)}`;
  }

  expect(seen).toEqual(idsOf(made).reverse());
});

test.each([
  ["status=unknown"],
  ["status="],
  ["since=yesterday"],
  ["until=x"],
  ["cursor=x"],
  [`cursor=${encodeURIComponent(btoa(`2026-13-45T99:99:99.000000Z ${"-".repeat(36)}`))}`],
  ["task=%00"],
  ["host=%00"],
  ["limit=0"],
  ["limit=1001"],
])("executions?%s is a 400 that names the key", async (query) => {
  const { error } = await errorOf(await fetch(`${app.url}/executions/?${query}`), 400);

  expect(error).toContain(`"${query.split("=")[0]}"`);
});

test("many are stopped at once; dryRun tells which, and changes nothing", async () => {
  const made = await makeMany("stopped", 3);
  await setEnded(made[0] as Enqueued);
  const stop = async (body: object) =>
    await jsonOf(await post(app, "/executions/stop/", JSON.stringify(body)));

  const dry = await stop({ task: "stopped", dryRun: true });
  const before = (await list("task=stopped")).items.map(({ status }) => status);
  const wet = await stop({ task: "stopped" });
  const again = await stop({ task: "stopped" });

  expect(before).toEqual(["enqueued", "enqueued", "failed"]);
  expect([dry.count, wet.count, again.count]).toEqual([2, 2, 0]);
  expect([dry.dryRun, wet.dryRun]).toEqual([true, false]);
  const open = made.slice(1).reverse();
  const shown = open.map(({ executionId: id, jobId, taskId, executionUrl: url }) => ({
    id,
    jobId,
    taskId,
    url,
  }));
  expect([dry.executions, wet.executions]).toEqual([shown, shown]);
  const after = (await list("task=stopped")).items.map(({ status }) => status);
  expect(after).toEqual(["stopped", "stopped", "failed"]);
});

test("many are retried at once, those that cannot be with the reason; dryRun changes nothing", async () => {
  const [failed, other] = (await makeMany("retried", 2)) as [Enqueued, Enqueued];
  await setEnded(failed);
  const cron = await enqueue(app.url, "retried", { command: "true", cron: "0 0 1 1 *" });
  await store.sql`UPDATE fastlane.executions SET job_id = ${cron.jobId} WHERE id = ${other.executionId}`;
  const retry = async (body: object) =>
    await jsonOf(await post(app, "/executions/retry/", JSON.stringify(body)));

  const dry = await retry({ task: "retried", dryRun: true });
  const before = await list("task=retried");
  const wet = await retry({ task: "retried" });
  const after = await list("task=retried");

  const skipped = [{ jobId: cron.jobId, reason: "Can't retry a scheduled job." }];
  for (const answer of [dry, wet]) expect(answer).toMatchObject({ count: 1, skipped });
  expect([before.items.length, after.items.length]).toEqual([2, 3]);
  expect(wet.executions[0]).toMatchObject({ id: after.items[0]?.executionId, jobId: failed.jobId });
});

test("what fits beyond a thousand is retried from the cursor on, each job once", async () => {
  const payloads = Array(1_003).fill({ ...GOOD });
  const made: Enqueued[] = [
    ...(await jsonOf(await bulk("far", payloads.slice(0, 1_000)))),
    ...(await jsonOf(await bulk("far", payloads.slice(1_000)))),
  ];
  await store.sql`UPDATE fastlane.executions SET status = 'stopped', failure_cause = 'stopped',
    finished_at = now() WHERE task_id = 'far'`;
  const retry = async (body: object) =>
    await jsonOf(
      await post(
        app,
        "/executions/retry/",
        JSON.stringify({ status: "stopped", task: "far", ...body }),
      ),
    );

  const first = await retry({});
  const second = await retry({ cursor: first.nextCursor });

  expect([first.count, second.count, second.nextCursor]).toEqual([1_000, 3, null]);
  const jobs = [...first.executions, ...second.executions].map(({ jobId }) => jobId);
  expect(new Set(jobs)).toEqual(new Set(made.map(({ jobId }) => jobId)));
}, 60_000);

test.each([["stop"], ["retry"]])("%s without a key that narrows is refused", async (verb) => {
  const before = await countRows(store);
  const stoppedBefore = (await list("status=stopped&limit=1000")).items;

  for (const body of ["{}", '{"dryRun":true}', "[]", "", "null", '{"all":true}', '{"status":[]}']) {
    await errorOf(await post(app, `/executions/${verb}/`, body), 400);
  }

  expect(await countRows(store)).toBe(before);
  expect((await list("status=stopped&limit=1000")).items).toEqual(stoppedBefore);
});
