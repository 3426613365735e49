import { expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { AppError } from "../../src/core/errors.ts";
import { enqueueJobs } from "../../src/services/enqueue-jobs.ts";
import { createEnqueuer } from "../../src/services/enqueuer.ts";
import { testStore } from "../support/store.ts";
import { planOf, pool } from "./rows.ts";

const EVERYTHING = sql`
  SELECT (SELECT count(*) FROM fastlane.tasks)::int AS tasks,
    (SELECT count(*) FROM fastlane.jobs)::int AS jobs,
    (SELECT count(*) FROM fastlane.executions)::int AS executions,
    (SELECT count(*) FROM fastlane.schedules)::int AS schedules,
    (SELECT count(*) FROM graphile_worker.jobs)::int AS messages`;

const one = pool(["one"]);

test("a job is its task, itself, its execution and a message", async () => {
  await using store = await testStore();

  const [made] = await store.db.transaction((tx) => enqueueJobs(tx, [planOf(one)]));

  expect([...(await store.db.execute(EVERYTHING))]).toEqual([
    { tasks: 1, jobs: 1, executions: 1, schedules: 0, messages: 1 },
  ]);
  const [job] = await store.sql`SELECT queue_message_id::int AS id FROM fastlane.jobs`;
  expect(job?.["id"]).toBe(made?.messageId);
});

test("a job with a schedule has that, and a message for its first tick, in place of an execution", async () => {
  await using store = await testStore();

  const plans = [planOf(one, { cron: "0 3 * * *" }), planOf(one, { startIn: 60_000 })];
  const made = await store.db.transaction((tx) => enqueueJobs(tx, plans));

  expect(made.map(({ executionId }) => executionId)).toEqual([null, null]);
  expect([...(await store.db.execute(EVERYTHING))]).toEqual([
    { tasks: 1, jobs: 2, executions: 0, schedules: 2, messages: 2 },
  ]);
});

test("when its last row is refused, nothing of a job is there", async () => {
  await using store = await testStore();
  await store.sql`ALTER TABLE fastlane.executions ADD CHECK (priority <> 13)`;

  const enqueued = store.db.transaction((tx) => enqueueJobs(tx, [planOf(one, { priority: 13 })]));

  await expect(enqueued).rejects.toThrow();
  expect([...(await store.db.execute(EVERYTHING))]).toEqual([
    { tasks: 0, jobs: 0, executions: 0, schedules: 0, messages: 0 },
  ]);
});

test("jobs that arrive together share transactions, and one that is refused fails alone", async () => {
  await using store = await testStore();
  await store.sql`ALTER TABLE fastlane.executions ADD CHECK (priority <> 13)`;
  const told: string[] = [];
  const dispatch = (pools: readonly string[]) => void told.push(...pools);
  const enqueuer = createEnqueuer({ ...store, dispatch });

  const results = await Promise.allSettled(
    Array.from({ length: 50 }, (_, number) =>
      enqueuer.enqueue(planOf(one, { priority: number }, `task ${number % 3}`)),
    ),
  );

  const refused = results.flatMap(({ status }, at) => (status === "rejected" ? [at] : []));
  expect(refused).toEqual([13]);
  expect(told).toContain("");
  const [rows] = await store.db.execute<{ jobs: number; executions: number }>(EVERYTHING);
  expect(rows).toMatchObject({ tasks: 3, jobs: 49, executions: 49 });
});

test.each([
  ["dispatched by this process share messages, which wait", () => {}, true],
  ["another process must dispatch have one each, to be handled at once", null, false],
] as const)("jobs that are made one soon after the other and %s", async (_, dispatch, waits) => {
  await using store = await testStore();
  const enqueuer = createEnqueuer({ ...store, dispatch });

  const made = [];
  for (let job = 0; job < 40; job++) made.push(await enqueuer.enqueue(planOf(one)));

  const messages = await store.sql<{ id: number; waits: boolean }[]>`
    SELECT id::int, run_at > created_at AS waits FROM graphile_worker.jobs ORDER BY id`;
  expect(messages.length < made.length).toBe(waits);
  expect(messages.every((message) => message.waits === waits)).toBe(true);
  const known = messages.map(({ id }) => id);
  expect(made.every(({ messageId }) => known.includes(messageId))).toBe(true);
});

test("of jobs made in one transaction an earlier one is older", async () => {
  await using store = await testStore();
  const plans = Array.from({ length: 20 }, () => planOf(one));

  const made = await store.db.transaction((tx) => enqueueJobs(tx, plans));

  const rows = await store.sql<{ id: string }[]>`
    SELECT id FROM fastlane.executions ORDER BY created_at`;
  expect(rows.map(({ id }) => id)).toEqual(made.map(({ executionId }) => executionId ?? ""));
});

test("a task that no pool fits is refused", () => {
  const plan = () => planOf({ ...one, match: "^night-" }, {}, "day");

  expect(plan).toThrow(AppError);
  expect(plan).toThrow("no pool of dockerHosts");
});
