import { expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { AppError } from "../../src/core/errors.ts";
import { enqueueJob } from "../../src/services/enqueue-job.ts";
import { testStore } from "../support/store.ts";
import { PAYLOAD, pool } from "./rows.ts";

const EVERYTHING = sql`
  SELECT (SELECT count(*) FROM fastlane.tasks)::int AS tasks,
    (SELECT count(*) FROM fastlane.jobs)::int AS jobs,
    (SELECT count(*) FROM fastlane.executions)::int AS executions,
    (SELECT count(*) FROM graphile_worker.jobs)::int AS messages`;

test("a job is its task, itself, its execution and a message", async () => {
  await using store = await testStore();
  const input = { taskId: "t", payload: PAYLOAD, requestIp: "::1" };

  const { messageId } = await enqueueJob({ db: store.db, pools: [pool(["one"])] }, input);

  expect([...(await store.db.execute(EVERYTHING))]).toEqual([
    { tasks: 1, jobs: 1, executions: 1, messages: 1 },
  ]);
  const [job] = await store.sql`SELECT queue_message_id::int AS id FROM fastlane.jobs`;
  expect(job?.["id"]).toBe(messageId);
});

test("when its last row is refused, nothing of a job is there", async () => {
  await using store = await testStore();
  await store.sql`ALTER TABLE fastlane.executions ADD CHECK (priority <> 13)`;
  const input = { taskId: "t", payload: { ...PAYLOAD, priority: 13 }, requestIp: null };

  const enqueued = enqueueJob({ db: store.db, pools: [pool(["one"])] }, input);

  await expect(enqueued).rejects.toThrow();
  expect([...(await store.db.execute(EVERYTHING))]).toEqual([
    { tasks: 0, jobs: 0, executions: 0, messages: 0 },
  ]);
});

test("50 jobs for one new task at once all come in", async () => {
  await using store = await testStore();
  const input = { taskId: "new", payload: PAYLOAD, requestIp: null };

  await Promise.all(
    Array.from({ length: 50 }, () => enqueueJob({ db: store.db, pools: [pool(["one"])] }, input)),
  );

  expect([...(await store.db.execute(EVERYTHING))]).toEqual([
    { tasks: 1, jobs: 50, executions: 50, messages: 50 },
  ]);
});

test("a task that no pool fits is refused", async () => {
  await using store = await testStore();
  const pools = [{ ...pool(["one"]), match: "^night-" }];
  const input = { taskId: "day", payload: PAYLOAD, requestIp: null };

  const enqueued = await enqueueJob({ db: store.db, pools }, input).catch((error) => error);

  expect(enqueued).toBeInstanceOf(AppError);
  expect(enqueued.code).toBe("no_pool");
});
