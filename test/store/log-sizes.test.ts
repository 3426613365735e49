import { expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import { insertLogSegments } from "../../src/store/log-chunks.ts";
import { recordLogSizes } from "../../src/store/log-sizes.ts";
import { executions } from "../../src/store/schema.ts";
import { pool, waiting } from "../services/rows.ts";
import { testStore } from "../support/store.ts";

const FRAME = {
  stream: "stdout",
  at: { seconds: 1_700_000_000, nanos: 0 },
  data: new TextEncoder().encode("line\n"),
} as const;

/** An execution that has ended, with two chunks whose frames have these numbers. */
async function ended(...numbers: number[]) {
  const store = await testStore();
  const [id = ""] = await waiting(store.db, pool(["one"]), [{}]);
  const segments = numbers.map((seq) => ({ executionId: id, seq, frames: [FRAME] }));
  await store.db.transaction((tx) => insertLogSegments(tx, segments));
  await store.db
    .update(executions)
    .set({ status: "stopped", failureCause: "stopped", finishedAt: new Date() });
  const row = async () => {
    const [found] = await store.db.select().from(executions).where(eq(executions.id, id));
    if (found === undefined) throw new Error("the execution is gone");
    return found;
  };
  return Object.assign(store, { id, row });
}

test.each([2, 3_000_000])("a log whose last frame has number %p is counted", async (last) => {
  await using given = await ended(1, last);
  const before = await given.row();

  await given.db.transaction((tx) => recordLogSizes(tx, [before]));

  expect(await given.row()).toMatchObject({ logBytes: 10, logLines: 2 });
});

test("a log that takes too long to be counted holds up no end", async () => {
  await using given = await ended(1, 3_000_000);
  const before = await given.row();
  const locked = Promise.withResolvers<void>();
  const over = Promise.withResolvers<void>();
  // Makes the count wait, as a log of millions of chunks would.
  const holding = given.db.transaction(async (tx) => {
    await tx.select().from(executions).for("update");
    locked.resolve();
    await over.promise;
  });
  await locked.promise;

  await given.db.transaction((tx) => recordLogSizes(tx, [before]));
  over.resolve();
  await holding;

  expect(await given.row()).toMatchObject({ logBytes: null, logLines: null });
});
