import { expect, test } from "bun:test";
import { asc } from "drizzle-orm";
import { dispatchPool } from "../../src/services/dispatch-pool.ts";
import { enqueueJobs } from "../../src/services/enqueue-jobs.ts";
import { finishExecution } from "../../src/services/finish-execution.ts";
import { fireSchedule } from "../../src/services/fire-schedule.ts";
import { putJob } from "../../src/services/put-job.ts";
import { stopJob } from "../../src/services/stop-execution.ts";
import { executions, schedules, ticks } from "../../src/store/schema.ts";
import { testStore } from "../support/store.ts";
import { DONE, ownedHost, planOf, pool, SOMEBODY } from "./rows.ts";

const one = pool(["one"]);
const FAILED = { ...DONE, status: "failed", failureCause: "exit_code", exitCode: 1 } as const;

async function givenSchedule(payload: Parameters<typeof planOf>[1]) {
  const store = await testStore();
  const plan = planOf(one, payload);
  await store.db.transaction((tx) => enqueueJobs(tx, [plan]));
  return Object.assign(store, { jobId: plan.job.id });
}

test("a retry of a schedule whose ticks queue does not run beside the next tick", async () => {
  await using given = await givenSchedule({
    cron: "0 * * * *",
    overlap: "queue",
    catchUp: "all",
    retries: 1,
    backoff: { minMs: 1, maxMs: 1 },
  });
  const lease = await ownedHost(given.db, "one");
  await given.sql`UPDATE fastlane.schedules SET next_at = date_trunc('hour', now()) - interval '1 hour'`;
  await fireSchedule(given.db, [one], given.jobId);
  await dispatchPool(given.db, one);
  const [first] = await given.db.select().from(executions).orderBy(asc(executions.createdAt));

  const end = { executionId: first?.id ?? "", end: FAILED, restOfLog: [] };
  await finishExecution(given.db, lease, end);
  await given.sql`UPDATE fastlane.executions SET available_at = now() WHERE status = 'enqueued'`;
  await dispatchPool(given.db, one);

  const rows = await given.db.select().from(executions).orderBy(asc(executions.createdAt));
  expect(rows.map(({ status, retry }) => [status, retry])).toEqual([
    ["failed", 0],
    ["pulling", 0],
    ["enqueued", 1],
  ]);
});

test.each([
  [
    "replaced",
    "The schedule was replaced before it was fired",
    async (given: Awaited<ReturnType<typeof givenSchedule>>) => {
      const { job, ...plan } = planOf(one, { cron: "30 4 * * *" });
      await given.db.transaction((tx) => putJob(tx, { ...plan, job: { ...job, id: given.jobId } }));
    },
  ],
  [
    "stopped",
    "The job was stopped before it was fired",
    async (given: Awaited<ReturnType<typeof givenSchedule>>) => {
      await stopJob(given.db, { id: given.jobId, taskId: "t" }, SOMEBODY);
    },
  ],
])(
  "a tick that was due when its schedule was %s is in the ledger as missed",
  async (_, why, end) => {
    await using given = await givenSchedule({ cron: "0 3 * * *" });
    await given.sql`UPDATE fastlane.schedules SET next_at = now() - interval '1 second'`;

    await end(given);

    const ledger = await given.db.select().from(ticks);
    expect(ledger).toMatchObject([{ outcome: "missed", reason: why, executionId: null }]);
    expect(await given.db.$count(executions)).toBe(0);
  },
);

test("a schedule that is stopped before its tick is due leaves none, and says when", async () => {
  await using given = await givenSchedule({ startIn: 3_600_000 });

  await stopJob(given.db, { id: given.jobId, taskId: "t" }, SOMEBODY);

  const [schedule] = await given.db.select().from(schedules);
  expect(schedule).toMatchObject({ nextAt: null, canceledAt: expect.any(Date) });
  expect(await given.db.$count(ticks)).toBe(0);
});

test("one that has fired all it had is not canceled by a stop", async () => {
  await using given = await givenSchedule({ startIn: 3_600_000 });
  await given.sql`UPDATE fastlane.schedules SET next_at = now() - interval '1 second'`;
  await fireSchedule(given.db, [one], given.jobId);

  await stopJob(given.db, { id: given.jobId, taskId: "t" }, SOMEBODY);

  const [schedule] = await given.db.select().from(schedules);
  expect(schedule).toMatchObject({ nextAt: null, canceledAt: null });
});
