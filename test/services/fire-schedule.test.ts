import { expect, test } from "bun:test";
import { asc, eq, sql } from "drizzle-orm";
import { cronTimes } from "../../src/core/cron.ts";
import type { JobPayload } from "../../src/payload/job-payload.ts";
import { dispatchPool } from "../../src/services/dispatch-pool.ts";
import { enqueueJobs } from "../../src/services/enqueue-jobs.ts";
import { finishExecution } from "../../src/services/finish-execution.ts";
import { fireSchedule } from "../../src/services/fire-schedule.ts";
import { putJob } from "../../src/services/put-job.ts";
import { rearmSchedules } from "../../src/services/rearm-schedules.ts";
import { executions, schedules, ticks } from "../../src/store/schema.ts";
import { eventually } from "../support/client.ts";
import { testStore } from "../support/store.ts";
import { DONE, ownedHost, planOf, pool } from "./rows.ts";

const one = pool(["one"]);
const HOUR = 3_600_000;
/** Far enough from its ticks that no tick is due by itself while a test runs. */
const HOURLY = `${(new Date().getUTCMinutes() + 30) % 60} * * * *`;
/** About half an hour ago. */
const LATEST = (cronTimes(HOURLY, "UTC").next(new Date())?.getTime() ?? 0) - HOUR;

/** A job with a schedule, and what there is to see of it. */
async function givenJob(payload: Partial<JobPayload> = { cron: HOURLY }) {
  const store = await testStore();
  const [made] = await store.db.transaction((tx) => enqueueJobs(tx, [planOf(one, payload)]));
  const jobId = made?.jobId ?? "";
  const given = {
    jobId,
    fire: () => fireSchedule(store.db, [one], jobId),
    /** As if nobody had fired it since then. */
    due: (at: number) =>
      store.db
        .update(schedules)
        .set({ nextAt: new Date(at) })
        .where(eq(schedules.jobId, jobId)),
    ledger: () => store.db.select().from(ticks).orderBy(asc(ticks.at)),
    executions: () => store.db.select().from(executions).orderBy(asc(executions.createdAt)),
    schedule: async () => (await store.db.select().from(schedules))[0],
    messages: async () =>
      (await store.sql<{ id: number; runAt: number }[]>`
        SELECT id::int, (extract(epoch FROM run_at) * 1000)::float8 AS "runAt" FROM graphile_worker.jobs
        WHERE task_identifier = 'fire' ORDER BY id`) as { id: number; runAt: number }[],
  };
  return Object.assign(store, given);
}

test("of 8 that fire a tick at once one does, and the next tick is armed", async () => {
  await using given = await givenJob();
  await given.due(Date.now() - 1_000);

  const served = await Promise.all(Array.from({ length: 8 }, () => given.fire()));

  const [execution, ...more] = await given.executions();
  expect(more).toEqual([]);
  expect(served.flat()).toEqual([""]);
  expect(await given.ledger()).toMatchObject([
    {
      outcome: "ran",
      executionId: execution?.id,
      reason: expect.stringMatching(/^Fired \d+\.\d s after its time$/),
    },
  ]);
  const [, armed] = await given.messages();
  expect(await given.schedule()).toMatchObject({
    nextAt: new Date(LATEST + HOUR),
    messageId: armed?.id,
  });
  expect(armed?.runAt).toBe(LATEST + HOUR);
});

test("a tick is not fired before its time", async () => {
  await using given = await givenJob();

  expect(await given.fire()).toEqual([]);

  expect(await given.ledger()).toEqual([]);
  expect(await given.executions()).toEqual([]);
  expect(await given.messages()).toHaveLength(1);
});

test("a fire that is rolled back leaves nothing, and is done when it is tried again", async () => {
  await using given = await givenJob({ cron: HOURLY, priority: 13 });
  await given.due(Date.now() - 1_000);
  await given.sql`ALTER TABLE fastlane.executions ADD CONSTRAINT no_13 CHECK (priority <> 13)`;
  const before = await given.schedule();

  await expect(given.fire()).rejects.toThrow();

  expect(await given.ledger()).toEqual([]);
  expect(await given.schedule()).toEqual(before);
  expect(await given.messages()).toHaveLength(1);
  await given.sql`ALTER TABLE fastlane.executions DROP CONSTRAINT no_13`;
  await given.fire();
  expect(await given.ledger()).toMatchObject([{ outcome: "ran" }]);
});

test.each([
  ["none", ["missed", "missed", "missed"], /catchUp is "none"$/],
  ["last", ["missed", "missed", "caught_up"], /catchUp is "last", and a later tick is due$/],
  ["all", ["caught_up", "caught_up", "caught_up"], /^Caught up 9\d+\.\d s after its time/],
] as const)("of ticks that nobody fired, catchUp %s makes %j", async (catchUp, outcomes, why) => {
  await using given = await givenJob({ cron: HOURLY, catchUp });
  await given.due(LATEST - 2 * HOUR);

  await given.fire();

  const ledger = await given.ledger();
  expect(ledger.map(({ outcome }) => outcome)).toEqual([...outcomes]);
  expect(ledger.map(({ at }) => at.getTime())).toEqual([LATEST - 2 * HOUR, LATEST - HOUR, LATEST]);
  expect(ledger[0]?.reason).toMatch(why);
  const made = (await given.executions()).map(({ id, tickAt }) => [id, tickAt?.getTime()]);
  expect(made).toEqual(
    ledger.flatMap(({ executionId, at }) =>
      executionId === null ? [] : [[executionId, at.getTime()]],
    ),
  );
});

test("a tick of overlap skip names the execution that was in its way", async () => {
  await using given = await givenJob({ cron: HOURLY, overlap: "skip", catchUp: "all" });
  await given.due(LATEST - HOUR);
  await given.fire();
  await given.due(Date.now());

  await given.fire();

  const [first, ...more] = await given.executions();
  expect(more).toEqual([]);
  const blockedBy = first?.id ?? "";
  const skipped = { outcome: "skipped", executionId: null, blockedBy };
  expect(await given.ledger()).toMatchObject([{ outcome: "caught_up" }, skipped, skipped]);
  expect((await given.ledger()).at(-1)?.reason).toBe(
    `Execution ${blockedBy} of the job has not ended, and overlap is "skip"`,
  );
});

test("a tick of overlap skip runs when the one before has ended", async () => {
  await using given = await givenJob({ cron: HOURLY, overlap: "skip" });
  const lease = await ownedHost(given.db, "one");
  await given.due(Date.now());
  await given.fire();
  await dispatchPool(given.db, one);
  const [first] = await given.executions();
  await finishExecution(given.db, lease, {
    executionId: first?.id ?? "",
    end: DONE,
    restOfLog: [],
  });
  await given.due(Date.now());

  await given.fire();

  expect(await given.ledger()).toMatchObject([{ outcome: "ran" }, { outcome: "ran" }]);
});

test.each([
  ["allow", 2, 0],
  ["queue", 1, 1],
] as const)(
  "of two ticks of overlap %s %p begin at once, %p when the earlier one has ended",
  async (overlap, atOnce, later) => {
    await using given = await givenJob({ cron: HOURLY, overlap, catchUp: "all" });
    const lease = await ownedHost(given.db, "one");
    await given.due(LATEST - HOUR);
    await given.fire();
    const [first] = await given.executions();

    const before = await dispatchPool(given.db, one);
    await finishExecution(given.db, lease, {
      executionId: first?.id ?? "",
      end: DONE,
      restOfLog: [],
    });
    const after = await dispatchPool(given.db, one);

    expect(await given.ledger()).toHaveLength(2);
    expect([before.placed, after.placed]).toEqual([atOnce, later]);
  },
);

test("a tick of a task that no pool fits any more is missed, and says so", async () => {
  await using given = await givenJob();
  await given.due(Date.now());

  await fireSchedule(given.db, [{ ...one, match: "^night-" }], given.jobId);

  expect(await given.ledger()).toMatchObject([
    { outcome: "missed", reason: 'No pool of dockerHosts matches task "t"' },
  ]);
});

test.each([
  ["in time", 0, "ran"],
  ["a year late", 8_760 * HOUR, "caught_up"],
])("a schedule of one moment that is fired %s runs, once", async (_, late, outcome) => {
  await using given = await givenJob({ startIn: HOUR });
  await given.due(Date.now() - late);

  await Promise.all([given.fire(), given.fire()]);
  await given.fire();

  expect(await given.ledger()).toMatchObject([{ outcome }]);
  expect(await given.executions()).toHaveLength(1);
  expect(await given.schedule()).toMatchObject({ nextAt: null, messageId: null });
  expect(await given.messages()).toHaveLength(1);
});

/** PUT on the job, with other details. */
function put({ db, jobId }: Awaited<ReturnType<typeof givenJob>>, payload: Partial<JobPayload>) {
  const plan = planOf(one, { image: "new", ...payload });
  return db.transaction((tx) => putJob(tx, { ...plan, job: { ...plan.job, id: jobId } }));
}

test("the message of a schedule that was replaced does nothing; ticks to come are of the new", async () => {
  await using given = await givenJob();
  await given.due(Date.now());
  await given.fire();
  await given.due(Date.now());
  await put(given, { cron: HOURLY });

  const ofOldMessage = await given.fire();
  const ledger = await given.ledger();
  await given.due(Date.now());
  await given.fire();

  expect(ofOldMessage).toEqual([]);
  expect(ledger.map(({ outcome }) => outcome)).toEqual(["ran", "missed"]);
  const made = await given.executions();
  expect(made.map(({ request }) => request.imageText)).toEqual(["busybox", "new"]);
});

test("a job that was given no schedule in place of its own has no tick any more", async () => {
  await using given = await givenJob();
  await put(given, {});

  expect(await given.fire()).toEqual([]);

  expect(await given.schedule()).toBeUndefined();
  expect(await given.executions()).toHaveLength(1);
});

test("a tick that is due again, since the clock was put back, stays as it was decided", async () => {
  await using given = await givenJob({ cron: HOURLY, overlap: "skip", catchUp: "last" });
  await given.due(LATEST - HOUR);
  await given.fire();
  await given.sql`UPDATE fastlane.executions SET status = 'stopped', failure_cause = 'stopped', finished_at = now()`;
  const before = await given.ledger();
  await put(given, { cron: HOURLY, overlap: "skip", catchUp: "all" });
  await given.due(LATEST - 2 * HOUR);

  await given.fire();

  expect((await given.ledger()).slice(1)).toEqual(before);
  expect(before.map(({ outcome }) => outcome)).toEqual(["missed", "caught_up"]);
  expect(await given.executions()).toHaveLength(2);
});

test.each([
  ["is gone", "DELETE FROM graphile_worker._private_jobs", 0],
  ["has not been handled in time", "SELECT", 6_000],
])("a schedule whose message %s is armed anew, once", async (_, lose, overdue) => {
  await using given = await givenJob();
  if (overdue > 0) await given.due(Date.now() - overdue);
  await given.sql.unsafe(lose);
  const before = await given.schedule();

  const rearmed = await rearmSchedules(given.db);

  expect(rearmed).toBe(1);
  const armed = (await given.messages()).at(-1);
  expect(await given.schedule()).toMatchObject({ nextAt: before?.nextAt, messageId: armed?.id });
  expect(armed?.runAt).toBe(before?.nextAt?.getTime() ?? 0);
  await given.fire();
  expect(await rearmSchedules(given.db)).toBe(0);
});

test("a schedule whose message is there, or that fires no more, is left alone", async () => {
  await using given = await givenJob();
  const [once] = await given.db.transaction((tx) => enqueueJobs(tx, [planOf(one, { startIn: 1 })]));
  await eventually(
    async () => (await fireSchedule(given.db, [one], once?.jobId ?? ""))[0],
    () => "it did not fire",
  );
  const before = await given.messages();

  expect(await rearmSchedules(given.db)).toBe(0);

  expect(await given.messages()).toEqual(before);
});

test("a schedule that is fired while it is being armed anew has one message", async () => {
  await using given = await givenJob();
  await given.due(Date.now() - 6_000);
  let rearming: Promise<number> | undefined;

  await given.db.transaction(async (tx) => {
    await tx.execute(
      sql`UPDATE fastlane.schedules SET message_id = 77, next_at = now() + '1 hour'`,
    );
    rearming = rearmSchedules(given.db);
    await eventually(
      async () => (await given.sql`SELECT FROM pg_locks WHERE NOT granted`)[0],
      () => "nobody waits for the row",
    );
  });

  expect(await rearming).toBe(0);
  expect(await given.messages()).toHaveLength(1);
  expect(await given.schedule()).toMatchObject({ messageId: 77 });
});
