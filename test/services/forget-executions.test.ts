import { expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import type { Pruned } from "../../src/core/pruned.ts";
import { countPrunable } from "../../src/services/count-prunable.ts";
import { enqueueJobs } from "../../src/services/enqueue-jobs.ts";
import { forgetExecutions } from "../../src/services/forget-executions.ts";
import { openStore } from "../../src/store/connect.ts";
import { insertExecutions } from "../../src/store/executions.ts";
import {
  executions,
  idempotencyKeys,
  jobs,
  schedules,
  tasks,
  ticks,
} from "../../src/store/schema.ts";
import { eventually } from "../support/client.ts";
import { type AgedStore, agedStore, RETENTION } from "./aged.ts";
import { planOf, pool } from "./rows.ts";

const OLD = RETENTION.executionsDays + 1;
const NOTHING = { executions: 0, jobs: 0, tasks: 0, ticks: 0 };

/** What it has removed, and what a count has said before that it would, of the same kinds. */
async function forget({ db }: AgedStore) {
  const told = countsOf(await countPrunable(db, RETENTION));
  const gone = await forgetExecutions(db, RETENTION.executionsDays, async () => {});
  return { told, gone: countsOf(gone) };
}

const countsOf = ({ executions, jobs, tasks, ticks }: Pruned) => ({
  executions: executions.count,
  jobs: jobs.count,
  tasks: tasks.count,
  ticks: ticks.count,
});

/** As told, so done. */
const both = (counts: typeof NOTHING) => ({ told: counts, gone: counts });

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

  expect(await forget(given)).toEqual(
    both({ ...NOTHING, executions: 2, jobs: 1, tasks: 1, ticks: 1 }),
  );

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

  expect(await forget(given)).toEqual(both({ ...NOTHING, executions: 1 }));

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

  expect(await forget(given)).toEqual(both({ ...NOTHING, executions: 1, ticks: 2 }));

  expect(await idsOf(given)).toEqual([last]);
  expect(await given.db.$count(ticks)).toBe(2);
  expect(await forget(given)).toEqual(both(NOTHING));
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

  expect(await forget(given)).toEqual(both({ ...NOTHING, jobs: 1, ticks: 1 }));

  expect(await idsOf(given)).toEqual([id]);
  const left = (await given.db.select({ id: jobs.id }).from(jobs)).map((job) => job.id);
  expect(left.sort()).toEqual([lately, await jobOf(given, id)].sort());
});

test("a job that was changed lately keeps its last execution", async () => {
  await using given = await agedStore();
  const id = await given.ended("done", OLD);
  await given.sql`UPDATE fastlane.jobs SET last_modified_at = now()`;

  expect(await forget(given)).toEqual(both(NOTHING));

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

    expect(forgotten.gone).toEqual({ ...NOTHING, executions: 1, jobs: 1 });
    expect(await idsOf(given)).toEqual([held]);
    expect(await forget(given)).toEqual(both({ ...NOTHING, executions: 1, jobs: 1, tasks: 1 }));
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

  expect(await forget(given)).toEqual(both({ ...NOTHING, executions: 1_201, jobs: 1, tasks: 1 }));
});

test("while a step of a prune is under way, jobs are enqueued also of the task that it takes from", async () => {
  await using given = await agedStore();
  const gone = await given.ended("done", OLD);
  const jobId = await jobOf(given, gone);
  await given.sql`
    CREATE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN PERFORM pg_advisory_xact_lock(42); RETURN OLD; END'`;
  await given.sql`
    CREATE TRIGGER wait_for_test BEFORE DELETE ON fastlane.executions
    FOR EACH ROW EXECUTE FUNCTION wait_for_test()`;
  const impatient = openStore({ address: given.address, max: 1 });
  await impatient.sql`SET lock_timeout = '1s'`;

  const pruned = await given.sql.begin(async (holding) => {
    await holding`SELECT pg_advisory_xact_lock(42)`;
    const forgetting = forgetExecutions(given.db, RETENTION.executionsDays, async () => {});
    await eventually(
      async () => {
        const waits = await holding`SELECT FROM pg_locks WHERE NOT granted`;
        return waits.length === 1 || undefined;
      },
      () => "the step did not begin",
    );
    await impatient.db.transaction((tx) => enqueueJobs(tx, [planOf(pool(["one"]))]));
    const waits = await holding`SELECT locktype FROM pg_locks WHERE NOT granted`;
    expect([...waits]).toEqual([{ locktype: "advisory" }]);
    return { forgetting };
  });
  const sum = await pruned.forgetting;
  await impatient.close();

  expect([sum.executions.count, sum.jobs.count, sum.tasks.count]).toEqual([1, 1, 0]);
  expect(await given.sql`SELECT FROM fastlane.jobs WHERE id = ${jobId}`).toHaveLength(0);
  expect(await given.db.$count(executions)).toBe(1);
});
