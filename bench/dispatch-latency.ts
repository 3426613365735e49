import { eq } from "drizzle-orm";
import type { PoolRule } from "../src/core/pool.ts";
import { dispatchPool } from "../src/services/dispatch-pool.ts";
import { enqueueJobs } from "../src/services/enqueue-jobs.ts";
import { finishExecution } from "../src/services/finish-execution.ts";
import type { Store } from "../src/store/connect.ts";
import type { Lease } from "../src/store/hosts.ts";
import { executions } from "../src/store/schema.ts";
import { DONE, ownedHost, planOf, pool } from "../test/services/rows.ts";
import { testStore } from "../test/support/store.ts";
import { type Spread, spreadOf } from "./statistics.ts";

export interface DispatchLatency {
  endedExecutions: number;
  /** Milliseconds of a dispatch that gives one execution out, in a store of its own. */
  empty: Spread;
  /** The same with so many executions that have ended. */
  full: Spread;
}

const WARM_UP = 50;
const JOBS = 10_000;

/** Of both stores in turn, sample by sample, so that what else the machine does meets both. */
export async function measureDispatchLatency(
  endedExecutions: number,
  samples: number,
): Promise<DispatchLatency> {
  const rule = pool(["one"], 20);
  await using empty = await testStore();
  await using full = await testStore();
  const stores = await Promise.all(
    [empty, full].map(async (store) => ({ store, lease: await ownedHost(store.db, "one") })),
  );
  await fill(full, endedExecutions);
  // Nobody renews the leases here.
  for (const { store } of stores) {
    await store.sql`UPDATE fastlane.hosts SET lease_expires_at = now() + interval '1 day'`;
  }
  const times: number[][] = [[], []];
  for (let sample = -WARM_UP; sample < samples; sample++) {
    for (const [index, { store, lease }] of stores.entries()) {
      const ms = await dispatchOne(store, lease, rule);
      if (sample >= 0) times[index]?.push(ms);
    }
  }
  return {
    endedExecutions,
    empty: spreadOf(times[0] ?? []),
    full: spreadOf(times[1] ?? []),
  };
}

async function dispatchOne({ db }: Store, lease: Lease, rule: PoolRule): Promise<number> {
  const [made] = await db.transaction((tx) => enqueueJobs(tx, [planOf(rule)]));
  const begunAt = performance.now();
  const { placed } = await dispatchPool(db, rule);
  const ms = performance.now() - begunAt;
  if (placed !== 1) throw new Error(`A dispatch gave out ${placed} executions, not 1`);
  const executionId = made?.executionId ?? "";
  await finishExecution(db, lease, { executionId, end: DONE, restOfLog: [] });
  return ms;
}

/** Ended executions of the same pool, as a service that has run for long has them. */
async function fill({ db, sql }: Store, count: number): Promise<void> {
  const [made] = await db.transaction((tx) => enqueueJobs(tx, [planOf(pool(["one"]))]));
  await sql`UPDATE fastlane.executions SET status = 'stopped', failure_cause = 'stopped', finished_at = now()`;
  await sql`
    INSERT INTO fastlane.jobs (id, task_id, request, rules, created_at)
    SELECT gen_random_uuid(), task_id, request, rules, now() - n * interval '1 minute'
    FROM fastlane.jobs, generate_series(1, ${JOBS}) AS n WHERE id = ${made?.jobId ?? ""}`;
  await sql`SET statement_timeout = 0`;
  for (let done = 0; done < count; done += JOBS) {
    await sql`
      INSERT INTO fastlane.executions
        (id, job_id, task_id, pool, request, status, exit_code, host, container_id, claimed_at,
         created_at, started_at, finished_at)
      SELECT gen_random_uuid(), id, task_id, '', request, 'done', 0, 'one', repeat('a', 64), now(),
        created_at + ${done} * interval '1 second', now(), now()
      FROM fastlane.jobs LIMIT ${Math.min(JOBS, count - done)}`;
  }
  await sql`VACUUM ANALYZE fastlane.executions`;
  const there = await db.$count(executions, eq(executions.status, "done"));
  if (there !== count) throw new Error(`${there} executions have ended, not ${count}`);
}
