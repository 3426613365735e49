import { expect, test } from "bun:test";
import { claimStart, markRunning } from "../../src/services/claim-execution.ts";
import { dispatchPool } from "../../src/services/dispatch-pool.ts";
import { tell } from "../../src/services/tell.ts";
import {
  nextDueInMs,
  recordAttempt,
  replaceServiceWebhooks,
  takeUpDeliveries,
} from "../../src/store/deliveries.ts";
import { ledgerOf, redeliver } from "../../src/store/ledger.ts";
import { testStore } from "../support/store.ts";
import { ownedHost, pool, waiting } from "./rows.ts";

const HOOK = { url: "https://hooks.example/" };
const FAILED = {
  ok: false,
  at: new Date(),
  durationMs: 1,
  code: 500,
  answer: "",
  error: "The receiver answered 500",
};
const OK = { ...FAILED, ok: true, code: 200, error: null };

async function givenTakenUp() {
  const store = await testStore();
  const { db } = store;
  const [id = ""] = await waiting(db, pool(["one"]), [{ webhooks: { finishes: [HOOK] } }]);
  await db.transaction((tx) => tell(tx, [{ executionId: id, event: "finishes" }]));
  const [first] = await takeUpDeliveries(db, 1, [], []);
  if (first === undefined) throw new Error("nothing was due");
  return Object.assign(store, { id, first });
}

test("what is sent again while a try is under way goes once more, whatever comes of that try", async () => {
  await using store = await givenTakenUp();
  const { db, id, first } = store;

  await redeliver(db, id, first.id);
  await recordAttempt(db, first, OK, null);
  const [second] = await takeUpDeliveries(db, 1, [], []);

  expect(second).toMatchObject({ id: first.id, tries: 2 });
});

test("a try that was taken to be forgotten does not undo what came of the one after it", async () => {
  await using store = await givenTakenUp();
  const { db, id, first, sql } = store;
  await sql`UPDATE fastlane.deliveries SET due_at = now()`;
  const [second] = await takeUpDeliveries(db, 1, [], []);
  if (second !== undefined) await recordAttempt(db, second, OK, null);

  await recordAttempt(db, first, FAILED, 1_000);

  expect(await ledgerOf(db, id)).toMatchObject([
    { status: "delivered", dueAt: null, attempts: [{ try: 1 }, { try: 2 }] },
  ]);
});

test("what came of a try may be written twice, since the answer to a commit can be lost", async () => {
  await using store = await givenTakenUp();
  const { db, id, first } = store;

  await recordAttempt(db, first, FAILED, 0);
  const [second] = await takeUpDeliveries(db, 1, [], []);
  await recordAttempt(db, first, FAILED, 0);

  expect(await takeUpDeliveries(db, 1, [], [])).toEqual([]);
  expect(second?.tries).toBe(2);
  expect(await ledgerOf(db, id)).toMatchObject([{ attempts: [{ try: 1, code: 500 }] }]);
});

test("of a start that is written twice, and of one after a container was lost, is told once", async () => {
  await using store = await testStore();
  const { db, sql } = store;
  const lease = await ownedHost(db, "one");
  const [id = ""] = await waiting(db, pool(["one"]), [{ webhooks: { starts: [HOOK] } }]);
  const start = async (containerId: string) => {
    await dispatchPool(db, pool(["one"]));
    await claimStart(db, lease, id);
    return await markRunning(db, lease, id, containerId);
  };

  const first = await start("a".repeat(64));
  const again = await markRunning(db, lease, id, "a".repeat(64));
  // As `onHostLost: rerun` leaves it.
  await sql`UPDATE fastlane.executions SET status = 'enqueued', host = NULL, container_id = NULL,
    claimed_at = NULL, started_at = NULL, deadline_at = NULL WHERE id = ${id}`;
  const second = await start("b".repeat(64));

  expect([first, again, second]).not.toContain(null);
  expect(await ledgerOf(db, id)).toMatchObject([{ event: "starts", status: "waiting" }]);
});

test("no webhook of the configuration has an expression that Postgres cannot read", async () => {
  await using store = await testStore();
  const webhooks = ["^a", "("].map((match) => ({ ...HOOK, match, events: [] }));

  const replaced = replaceServiceWebhooks(store.db, webhooks);

  await expect(replaced).rejects.toThrow(
    "Cannot start: webhooks.1.match must be a regular expression",
  );
});

test("a webhook that is only named waits an hour for a node that has it", async () => {
  await using store = await testStore();
  const { db, sql } = store;
  await replaceServiceWebhooks(db, [
    { ...HOOK, match: "", events: ["finishes"], webhook: "named" },
  ]);
  const [id = ""] = await waiting(db, pool(["one"]), [{}]);
  await db.transaction((tx) => tell(tx, [{ executionId: id, event: "finishes" }]));

  expect(await takeUpDeliveries(db, 1, [], ["another"])).toEqual([]);
  expect(await nextDueInMs(db, [], ["another"])).toBeGreaterThan(3_500_000);
  expect(await nextDueInMs(db, [], ["named"])).toBeLessThanOrEqual(0);
  await sql`UPDATE fastlane.deliveries SET due_at = now() - interval '1 hour'`;
  const [late] = await takeUpDeliveries(db, 1, [], []);
  await sql`UPDATE fastlane.deliveries SET due_at = now()`;
  const [known] = await takeUpDeliveries(db, 1, [], ["another", "named"]);

  expect(late?.request).toEqual({ webhook: "named" });
  expect(known).toMatchObject({ target: HOOK.url, request: { webhook: "named" } });
});
