import { expect, test } from "bun:test";
import { startTestApp } from "../support/app.ts";
import { type Enqueued, enqueue, untilEnded, untilExecution } from "../support/client.ts";
import { testEngine } from "../support/engine.ts";
import { startFastlane } from "../support/process.ts";
import { migratedDatabase, testStore } from "../support/store.ts";

const MIB = 1024 * 1024;
/** A sink writes so much at once. */
const WRITE_BYTES = 4 * MIB;

const linesTo = (last: number) => Array.from({ length: last }, (_, i) => `${i + 1}\n`).join("");

/** What is there of stdout, which has a line in place of what is left out. */
async function stdoutOf({ executionUrl }: Enqueued): Promise<string> {
  const text = await (await fetch(`${executionUrl}/stdout/`)).text();
  const [head = "", tail, ...more] = text.split(/\[fastlane: \d+ lines are left out here.*\]\n/);
  expect([head.endsWith("\n"), typeof tail, more]).toEqual([true, "string", []]);
  return head + tail;
}

/** How much of the beginning of both is the same, and of the end. */
function commonEnds(left: string, right: string): { head: number; tail: number } {
  let head = 0;
  while (head < left.length && left[head] === right[head]) head += 1;
  let tail = 0;
  while (tail < left.length && left.at(-1 - tail) === right.at(-1 - tail)) tail += 1;
  return { head, tail };
}

/** It is what was written, but for one piece in the middle; both its halves are of the limit at least. */
function expectHeadAndTail(kept: string, written: string): void {
  const { head, tail } = commonEnds(kept, written);
  expect(head).toBeGreaterThanOrEqual(MIB / 2);
  expect(tail).toBeGreaterThanOrEqual(MIB / 2);
  expect(head + tail).toBeGreaterThanOrEqual(kept.length);
}

test("of a log of ten times the limit the store has at no time more than the limit, its slack and a write", async () => {
  await using database = await testStore();
  await using app = await startTestApp({ database, config: { maxLogBytes: MIB } });
  const written = linesTo(1_500_000);
  const job = await enqueue(app.url, "limit", { command: ["seq", "1", "1500000"] });

  let most = 0;
  const ended = await untilExecution(job, ({ status }) => {
    void database.sql`SELECT coalesce(sum(stdout_bytes), 0)::int AS bytes FROM fastlane.log_chunks`.then(
      ([row]) => {
        most = Math.max(most, row?.["bytes"]);
      },
    );
    return status === "done";
  });

  expect(most).toBeLessThanOrEqual(2 * MIB + WRITE_BYTES);
  const kept = await stdoutOf(job);
  expect(ended).toMatchObject({
    logState: "truncated",
    logBytes: written.length,
    logLines: 1_500_000,
    logCut: { bytes: written.length - kept.length },
  });
  expect(kept.length).toBeLessThanOrEqual(2 * MIB + WRITE_BYTES);
  expectHeadAndTail(kept, written);
});

test("killed while a log is above its limit, the next start goes on with it and counts nothing twice", async () => {
  const { host } = await testEngine();
  await using database = await migratedDatabase();
  const environment = {
    FASTLANE_DATABASE_URL: database.url,
    FASTLANE_DOCKER_HOSTS: JSON.stringify([{ hosts: [host] }]),
    FASTLANE_MAX_LOG_BYTES: String(MIB),
  };
  const first = await startFastlane({ environment });
  const script =
    "i=0; while [ $i -lt 12 ]; do seq $((i*60000+1)) $((i*60000+60000)); i=$((i+1)); sleep 0.5; done";
  const job = await enqueue(first.url, "limit", { command: ["sh", "-c", script] });
  await untilExecution(job, ({ logCut }) => logCut !== undefined);
  await first.end("SIGKILL");

  await using second = await startFastlane({ environment });
  const moved = { ...job, executionUrl: job.executionUrl.replace(first.url, second.url) };
  const before = (await untilExecution(moved, () => true)).logCut?.bytes ?? 0;
  const ended = await untilEnded(moved);

  const written = linesTo(720_000);
  const kept = await stdoutOf(moved);
  expect(ended).toMatchObject({
    status: "done",
    logState: "truncated",
    logBytes: written.length,
    logLines: 720_000,
    logCut: { bytes: written.length - kept.length },
  });
  expect(ended.logCut?.bytes).toBeGreaterThan(before);
  expectHeadAndTail(kept, written);
});
