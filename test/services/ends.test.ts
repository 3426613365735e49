import { expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import { claimStart, markRunning } from "../../src/services/claim-execution.ts";
import { dispatchPool } from "../../src/services/dispatch-pool.ts";
import { finishExecution } from "../../src/services/finish-execution.ts";
import { putBackExecution } from "../../src/services/put-back-execution.ts";
import { retryJob } from "../../src/services/retry-job.ts";
import { stopExecution, stopJob } from "../../src/services/stop-execution.ts";
import type { Lease } from "../../src/store/hosts.ts";
import { executions, type JobRow, jobs } from "../../src/store/schema.ts";
import { testStore } from "../support/store.ts";
import { DONE, ownedHost, pool, SOMEBODY, waiting } from "./rows.ts";

const NO_DISK = { message: "no disk", isOfHost: true };

const CONTAINER = "a".repeat(64);
const FAILED = { ...DONE, status: "failed", failureCause: "exit_code", exitCode: 3 } as const;
const rule = pool(["one"]);

/** One execution; `begin` takes it as far as its container running. */
async function givenOne(payload: Parameters<typeof waiting>[2][number] = {}) {
  const store = await testStore();
  const lease = await ownedHost(store.db, "one");
  const [id = ""] = await waiting(store.db, rule, [payload]);
  const rows = () => store.db.select().from(executions).orderBy(executions.createdAt);
  const jobRow = async () => (await store.db.select().from(jobs))[0] as JobRow;
  return Object.assign(store, { lease, id, rows, jobRow });
}

async function begin({ db, id }: Awaited<ReturnType<typeof givenOne>>, lease: Lease) {
  await dispatchPool(db, rule);
  await claimStart(db, lease, id);
  await markRunning(db, lease, id, CONTAINER);
}

const end = (executionId: string, how: Parameters<typeof finishExecution>[2]["end"]) => ({
  executionId,
  end: how,
  restOfLog: [],
});

test.each([
  ["waits", async () => {}],
  [
    "is pulled for",
    async (given: Awaited<ReturnType<typeof givenOne>>) => {
      await dispatchPool(given.db, rule);
    },
  ],
])("an execution that %s ends as stopped at once, and never starts", async (_, prepare) => {
  await using given = await givenOne();
  await prepare(given);

  await stopExecution(given.db, given.id, SOMEBODY);
  await stopExecution(given.db, given.id, SOMEBODY);

  const [row] = await given.rows();
  expect(row).toMatchObject({ status: "stopped", failureCause: "stopped", exitCode: null });
  expect(await claimStart(given.db, given.lease, given.id)).toBeNull();
  expect((await dispatchPool(given.db, rule)).placed).toBe(0);
});

test("an execution that runs is to be stopped, and ends so however its process took it", async () => {
  await using given = await givenOne({ retries: 5 });
  await begin(given, given.lease);

  await stopExecution(given.db, given.id, SOMEBODY);
  const [running] = await given.rows();
  await finishExecution(given.db, given.lease, end(given.id, FAILED));

  const rows = await given.rows();
  expect(running).toMatchObject({ status: "running", stopRequestedAt: expect.any(Date) });
  expect(rows).toHaveLength(1);
  expect(rows[0]).toMatchObject({ status: "stopped", failureCause: "stopped", exitCode: 3 });
});

test("one that may have been started and is to be stopped is not put back", async () => {
  await using given = await givenOne();
  await dispatchPool(given.db, rule);
  await claimStart(given.db, given.lease, given.id);
  await stopExecution(given.db, given.id, SOMEBODY);

  await putBackExecution(given.db, given.lease, { id: given.id, placements: 1 }, NO_DISK);

  expect((await given.rows())[0]).toMatchObject({ status: "stopped", host: "one" });
});

test("what has ended stays as it ended", async () => {
  await using given = await givenOne();
  await begin(given, given.lease);
  await finishExecution(given.db, given.lease, end(given.id, DONE));
  const before = await given.rows();

  await stopExecution(given.db, given.id, SOMEBODY);
  await stopJob(given.db, await given.jobRow(), SOMEBODY);

  expect(await given.rows()).toEqual(before);
});

test("an execution that failed is retried with the job's details of then, after a wait in the rows", async () => {
  await using given = await givenOne({ retries: 1, backoff: { minMs: 60_000, jitter: false } });
  await begin(given, given.lease);
  await given.sql`UPDATE fastlane.jobs SET priority = 7`;

  await finishExecution(given.db, given.lease, end(given.id, FAILED));

  const [, retry] = await given.rows();
  expect(retry).toMatchObject({ status: "enqueued", retry: 1, retryOf: given.id, priority: 7 });
  const waitMs = (retry?.availableAt.getTime() ?? 0) - (retry?.createdAt.getTime() ?? 0);
  expect(Math.round(waitMs / 1_000)).toBe(60);
  expect((await dispatchPool(given.db, rule)).placed).toBe(0);
});

test("to stop a job stops the retry that waits", async () => {
  await using given = await givenOne({ retries: 3 });
  await begin(given, given.lease);
  await finishExecution(given.db, given.lease, end(given.id, FAILED));

  await stopJob(given.db, await given.jobRow(), SOMEBODY);

  const rows = await given.rows();
  expect(rows.map(({ status }) => status)).toEqual(["failed", "stopped"]);
});

test("a stop and an end at once leave no retry behind", async () => {
  await using given = await givenOne({ retries: 100, backoff: { minMs: 1, maxMs: 1 } });
  await begin(given, given.lease);
  const job = await given.jobRow();

  await Promise.all([
    finishExecution(given.db, given.lease, end(given.id, FAILED)),
    stopJob(given.db, job, SOMEBODY),
  ]);

  const open = await given.db.$count(executions, eq(executions.status, "enqueued"));
  expect(open).toBe(0);
  expect((await given.rows()).at(-1)).toMatchObject({ status: "stopped" });
});

test("an execution that is retried by hand while it runs is stopped first, and the new one waits", async () => {
  await using given = await givenOne();
  await begin(given, given.lease);
  const job = await given.jobRow();

  const made = await retryJob(given.db, { pools: [rule] }, job, SOMEBODY);
  const early = await dispatchPool(given.db, rule);
  await finishExecution(given.db, given.lease, end(given.id, FAILED));
  const late = await dispatchPool(given.db, rule);

  const rows = await given.rows();
  expect([early.placed, late.placed]).toEqual([0, 1]);
  expect(rows.map(({ id, status }) => [id, status])).toEqual([
    [given.id, "stopped"],
    [made.executionId ?? "", "pulling"],
  ]);
});

test("what has expired ends when it would be given out, also when no host is there", async () => {
  await using given = await givenOne({ expiration: new Date(Date.now() - 1_000) });
  await given.sql`UPDATE fastlane.hosts SET reachable = false`;

  await dispatchPool(given.db, rule);

  const [row] = await given.rows();
  expect(row).toMatchObject({ status: "expired", failureCause: "expired", host: null });
  expect(row?.message).toMatch(/^Not started before its expiration at \d{4}-.*Z$/);
});

test("one that was to be stopped when its node died, and expired since, ends as stopped", async () => {
  await using given = await givenOne({ expiration: new Date(Date.now() + 60_000) });
  await dispatchPool(given.db, rule);
  await claimStart(given.db, given.lease, given.id);
  await stopExecution(given.db, given.id, SOMEBODY);
  await given.sql`UPDATE fastlane.executions SET expires_at = now() - interval '1 second'`;

  const mayStart = await claimStart(given.db, given.lease, given.id);

  expect(mayStart).toBeNull();
  expect((await given.rows())[0]).toMatchObject({ status: "stopped", failureCause: "stopped" });
});

test("what expires between its host and its start never starts", async () => {
  await using given = await givenOne({ expiration: new Date(Date.now() + 60_000) });
  await dispatchPool(given.db, rule);
  await given.sql`UPDATE fastlane.executions SET expires_at = now() - interval '1 second'`;

  const mayStart = await claimStart(given.db, given.lease, given.id);
  await dispatchPool(given.db, rule);

  expect(mayStart).toBeNull();
  expect((await given.rows())[0]).toMatchObject({ status: "expired", exitCode: null });
});
