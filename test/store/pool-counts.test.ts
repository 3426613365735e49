import { expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { registerHosts } from "../../src/store/hosts.ts";
import { poolCounts } from "../../src/store/pool-counts.ts";
import { pool, waiting } from "../services/rows.ts";
import { testStore } from "../support/store.ts";

test("a pool's counts tell what waits and what takes its slots, and nothing that ended", async () => {
  await using store = await testStore();
  const { db } = store;
  await registerHosts(db, ["one"]);
  const named = { ...pool(["one"]), match: "^t$" };
  const [pulling = "", running = "", ended = ""] = await waiting(db, named, [{}, {}, {}, {}]);
  await waiting(db, pool(["one"]), [{}]);
  await db.execute(sql`
    UPDATE fastlane.executions SET status = 'pulling', host = 'one' WHERE id = ${pulling}`);
  await db.execute(sql`
    UPDATE fastlane.executions
    SET status = 'running', host = 'one', claimed_at = now(), started_at = now(),
      container_id = ${"a".repeat(64)}, deadline_at = now()
    WHERE id = ${running}`);
  await db.execute(sql`
    UPDATE fastlane.executions
    SET status = 'stopped', failure_cause = 'stopped', finished_at = now() WHERE id = ${ended}`);

  const counts = await poolCounts(db);

  expect([...counts].sort()).toEqual([
    ["", { running: 0, waiting: 1 }],
    ["^t$", { running: 2, waiting: 1 }],
  ]);
});
