import { expect, test } from "bun:test";
import { MAX_PLACEMENTS } from "../../src/core/farm.ts";
import type { JobPayload } from "../../src/payload/job-payload.ts";
import { claimStart, markRunning } from "../../src/services/claim-execution.ts";
import { dispatchPool } from "../../src/services/dispatch-pool.ts";
import { loseExecution } from "../../src/services/lose-execution.ts";
import { stopExecution } from "../../src/services/stop-execution.ts";
import { findExecutionById } from "../../src/store/executions.ts";
import { LeaseLost } from "../../src/store/hosts.ts";
import { receiptsOfExecution } from "../../src/store/reconciliations.ts";
import { testStore } from "../support/store.ts";
import { ownedHost, pool, SOMEBODY, waiting } from "./rows.ts";

const CONTAINER = "c".repeat(64);
const REASON = "The host has not answered for 300 s";

async function givenRunning(payload: Partial<JobPayload> = {}) {
  const store = await testStore();
  const lease = await ownedHost(store.db, "one");
  const [id = ""] = await waiting(store.db, pool(["one"]), [payload]);
  await dispatchPool(store.db, pool(["one"]));
  await claimStart(store.db, lease, id);
  await markRunning(store.db, lease, id, CONTAINER);
  const execution = { id, containerId: CONTAINER };
  const lose = (by = lease) =>
    loseExecution(store.db, by, { execution, reason: REASON, restOfLog: [] });
  return Object.assign(store, { lease, id, lose, row: () => findExecutionById(store.db, id) });
}

test("what is lost fails as host_lost, with a receipt", async () => {
  await using given = await givenRunning();

  expect(await given.lose()).toBe("failed");

  expect(await given.row()).toMatchObject({
    status: "failed",
    failureCause: "host_lost",
    exitCode: null,
    message: REASON,
    logHasGap: true,
    logBytes: 0,
  });
  const receipts = await receiptsOfExecution(given.db, given.id);
  expect(receipts).toMatchObject([
    { decision: "lost", host: "one", containerId: CONTAINER, reason: REASON },
  ]);
});

test("where the job says rerun, it waits again, for another host, and spends no retry", async () => {
  await using given = await givenRunning({ onHostLost: "rerun", retries: 3 });

  expect(await given.lose()).toBe("rerun");

  expect(await given.row()).toMatchObject({
    status: "enqueued",
    host: null,
    containerId: null,
    startedAt: null,
    avoidsHost: "one",
    retry: 0,
    logHasGap: true,
    logBytes: null,
  });
  const other = pool(["one", "two"]);
  await ownedHost(given.db, "two");
  await dispatchPool(given.db, other);
  expect(await given.row()).toMatchObject({ status: "pulling", host: "two", placements: 2 });
});

test("one that was begun before it expired does not expire when it is run again", async () => {
  const expiration = new Date(Date.now() + 3_600_000);
  await using given = await givenRunning({ onHostLost: "rerun", expiration });
  await given.sql`UPDATE fastlane.executions SET expires_at = now() - interval '1 s'`;

  await given.lose();
  await dispatchPool(given.db, pool(["one"]));

  expect(await given.row()).toMatchObject({ status: "pulling" });
});

test("one that is to be stopped is not run again", async () => {
  await using given = await givenRunning({ onHostLost: "rerun" });
  await stopExecution(given.db, given.id, SOMEBODY);

  expect(await given.lose()).toBe("failed");

  expect(await given.row()).toMatchObject({ status: "stopped", failureCause: "stopped" });
});

test("one that is lost again and again fails in the end", async () => {
  await using given = await givenRunning({ onHostLost: "rerun" });
  await given.sql`UPDATE fastlane.executions SET placements = ${MAX_PLACEMENTS}`;

  expect(await given.lose()).toBe("failed");
});

test("an owner that was taken over from loses nothing", async () => {
  await using given = await givenRunning();

  const stale = { ...given.lease, fence: given.lease.fence - 1 };
  await expect(given.lose(stale)).rejects.toBeInstanceOf(LeaseLost);

  expect(await given.row()).toMatchObject({ status: "running" });
  expect(await receiptsOfExecution(given.db, given.id)).toEqual([]);
});

test("what has ended meanwhile is not lost", async () => {
  await using given = await givenRunning();
  await given.lose();

  expect(await given.lose()).toBeNull();

  expect(await receiptsOfExecution(given.db, given.id)).toHaveLength(1);
});
