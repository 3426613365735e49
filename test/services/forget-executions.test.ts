import { expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { forgetExecutions } from "../../src/services/forget-executions.ts";
import { insertExecutions } from "../../src/store/executions.ts";
import {
  executions,
  idempotencyKeys,
  jobs,
  schedules,
  tasks,
  ticks,
} from "../../src/store/schema.ts";
import { type AgedStore, agedStore, RETENTION } from "./aged.ts";

const OLD = RETENTION.executionsDays + 1;
const NOTHING = { executions: 0, jobs: 0, tasks: 0, ticks: 0 };

const forget = ({ db }: AgedStore) =>
  forgetExecutions(db, RETENTION.executionsDays, new AbortController().signal);

async function jobOf({ sql: query }: AgedStore, id: string): Promise<string> {
  const [row] = await query`SELECT job_id AS "jobId" FROM fastlane.executions WHERE id = ${id}`;
  return row?.["jobId"];
}

/** A second execution of another one's job, that was made and ended so many days ago. */
async function again(given: AgedStore, first: string, days: number): Promise<string> {
  const id = await given.ended("done", days);
  const spare = await jobOf(given, id);
  await given.sql`
    UPDATE fastlane.executions SET job_id = ${await jobOf(given, first)}, retry_of = ${first}
    WHERE id = ${id}`;
  await given.sql`DELETE FROM fastlane.jobs WHERE id = ${spare}`;
  return id;
}

async function schedule(given: AgedStore, jobId: string, nextAt: Date | null): Promise<void> {
  await given.db.insert(schedules).values({ jobId, cron: "0 0 1 1 *", nextAt });
  await given.sql`UPDATE fastlane.schedules SET created_at = now() - interval '1 year'`;
}

async function tick(given: AgedStore, jobId: string, days: number, executionId: string | null) {
  await given.sql`
    INSERT INTO fastlane.ticks (job_id, at, outcome, execution_id, reason, decided_at)
    VALUES (${jobId}, now() - make_interval(days => ${days}::int),
      ${executionId === null ? "missed" : "ran"}, ${executionId}, 'x',
      now() - make_interval(days => ${days}::int))`;
}

const idsOf = async ({ db }: AgedStore) =>
  (await db.select({ id: executions.id }).from(executions)).map(({ id }) => id).sort();

test("an execution that ended long ago goes, with its job, its task, and all that hangs on them", async () => {
  await using given = await agedStore();
  const id = await given.ended("failed", OLD);
  const jobId = await jobOf(given, id);
  const retry = await again(given, id, OLD);
  await schedule(given, jobId, null);
  await tick(given, jobId, OLD, retry);
  await given.db.insert(idempotencyKeys).values({
    taskId: "t",
    key: "k",
    requestHash: new Uint8Array(32),
    jobId,
    executionId: id,
    messageId: 1,
  });

  expect(await forget(given)).toEqual({ ...NOTHING, executions: 2, jobs: 1, tasks: 1 });

  for (const table of [executions, jobs, tasks, schedules, ticks]) {
    expect(await given.db.$count(table)).toBe(0);
  }
});

test("what has not ended, or ended lately, stays with its job and task, however long ago it was made", async () => {
  await using given = await agedStore();
  const old = await given.ended("done", OLD);
  const kept = [
    await again(given, old, OLD - 2),
    await given.made(OLD),
    await given.ended("failed", OLD, [], OLD - 2),
  ];

  expect(await forget(given)).toEqual({ ...NOTHING, executions: 1 });

  expect(await idsOf(given)).toEqual(kept.sort());
  expect([await given.db.$count(jobs), await given.db.$count(tasks)]).toEqual([3, 1]);
});

test("of a job that will run by itself the last execution stays, and its tick", async () => {
  await using given = await agedStore();
  const first = await given.ended("done", OLD + 2);
  const jobId = await jobOf(given, first);
  const last = await again(given, first, OLD);
  await schedule(given, jobId, new Date(Date.now() + 86_400_000));
  await tick(given, jobId, OLD + 2, first);
  await tick(given, jobId, OLD + 1, null);
  await tick(given, jobId, OLD, last);
  await tick(given, jobId, 1, null);

  expect(await forget(given)).toEqual({ ...NOTHING, executions: 1, ticks: 2 });

  expect(await idsOf(given)).toEqual([last]);
  expect(await given.db.$count(ticks)).toBe(2);
  expect(await forget(given)).toEqual(NOTHING);
});

test("a job whose schedule ended without any execution goes in its time, too", async () => {
  await using given = await agedStore();
  const id = await given.ended("done", 1);
  const [lately, longAgo] = [crypto.randomUUID(), crypto.randomUUID()];
  for (const jobId of [lately, longAgo]) {
    await given.sql`
      INSERT INTO fastlane.jobs (id, task_id, request, rules) VALUES (${jobId}, 't', '{}', '{}')`;
    await schedule(given, jobId, null);
  }
  await tick(given, longAgo, OLD, null);
  await tick(given, lately, 1, null);

  expect(await forget(given)).toEqual({ ...NOTHING, jobs: 1 });

  expect(await idsOf(given)).toEqual([id]);
  const left = (await given.db.select({ id: jobs.id }).from(jobs)).map((job) => job.id);
  expect(left.sort()).toEqual([lately, await jobOf(given, id)].sort());
});

test("a job that was changed lately keeps its last execution", async () => {
  await using given = await agedStore();
  const id = await given.ended("done", OLD);
  await given.sql`UPDATE fastlane.jobs SET last_modified_at = now()`;

  expect(await forget(given)).toEqual(NOTHING);

  expect(await idsOf(given)).toEqual([id]);
});

test.each(["executions", "jobs"])(
  "what somebody else holds of %s is left for the next time, and nobody waits",
  async (table) => {
    await using given = await agedStore();
    const held = await given.ended("done", OLD);
    await given.ended("done", OLD);
    const heldRow = table === "jobs" ? await jobOf(given, held) : held;

    const forgotten = await given.db.transaction(async (tx) => {
      await tx.execute(sql`
        SELECT FROM fastlane.${sql.identifier(table)} WHERE id = ${heldRow} FOR UPDATE`);
      return await forget(given);
    });

    expect(forgotten).toEqual({ ...NOTHING, executions: 1, jobs: 1 });
    expect(await idsOf(given)).toEqual([held]);
    expect(await forget(given)).toEqual({ ...NOTHING, executions: 1, jobs: 1, tasks: 1 });
  },
);

test("thousands go, some hundreds at a time", async () => {
  await using given = await agedStore();
  const id = await given.ended("done", OLD);
  const [row] = await given.db.select().from(executions);
  if (row === undefined) throw new Error("no execution");
  const copies = Array.from({ length: 1_200 }, () => ({
    ...row,
    id: crypto.randomUUID(),
    expiresAt: null,
    retryOf: id,
    tickAt: new Date(),
  }));
  await given.db.transaction((tx) => insertExecutions(tx, copies));
  await given.sql`
    UPDATE fastlane.executions SET status = 'done', exit_code = 0,
      created_at = now() - interval '1 year', finished_at = now() - interval '1 year'`;

  expect(await forget(given)).toEqual({ ...NOTHING, executions: 1_201, jobs: 1, tasks: 1 });
});
