import { expect, test } from "bun:test";
import { startTestApp } from "../support/app.ts";
import { type Enqueued, enqueue, eventually, untilEnded } from "../support/client.ts";
import { recordStarts, untilNoContainers } from "../support/containers.ts";
import { testEngine } from "../support/engine.ts";
import { startFastlane } from "../support/process.ts";
import { migratedDatabase } from "../support/store.ts";

interface TickJson {
  at: string;
  outcome: string;
  reason: string;
  executionId: string | null;
  executionUrl: string | null;
}

interface JobJson {
  nextScheduledAt: string | null;
  scheduled: boolean;
  executionCount: number;
  ticks: TickJson[];
}

async function getJson<T>(url: string): Promise<T> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`GET answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}

const getJob = async (url: string) => (await getJson<{ job: JobJson }>(url)).job;

/** The whole ledger, oldest first. */
async function ledgerOf(jobUrl: string): Promise<TickJson[]> {
  const found = await getJson<{ items: TickJson[] }>(`${jobUrl}/ticks/?perPage=100`);
  return found.items.reverse();
}

async function untilTicks(jobUrl: string, count: number, withinMs?: number): Promise<TickJson[]> {
  return await eventually(
    async () => {
      const ledger = await ledgerOf(jobUrl);
      return ledger.length >= count ? ledger : undefined;
    },
    () => `the ledger of ${jobUrl} has fewer than ${count} ticks`,
    withinMs,
  );
}

const secondsOf = (ledger: readonly TickJson[]) => ledger.map(({ at }) => Date.parse(at) / 1_000);

test("a job each second, over two kills of a node beside another one, has each second once", async () => {
  const { host, docker } = await testEngine();
  await using database = await migratedDatabase();
  const environment = {
    FASTLANE_DATABASE_URL: database.url,
    FASTLANE_DOCKER_HOSTS: JSON.stringify([{ hosts: [host], maxRunning: 40 }]),
  };
  await using starts = await recordStarts(docker);
  let killed = await startFastlane({ environment });
  await using other = await startFastlane({ environment });
  const job = await enqueue(killed.url, "each-second", { command: "true", cron: "* * * * * *" });
  const jobUrl = job.jobUrl.replace(killed.url, other.url);

  for (const ticks of [6, 13]) {
    await untilTicks(jobUrl, ticks);
    await killed.end("SIGKILL");
    killed = await startFastlane({ environment });
  }
  await untilTicks(jobUrl, 21);
  await fetch(`${jobUrl}/stop/`, { method: "POST" });

  const ledger = await ledgerOf(jobUrl);
  const [first = 0] = secondsOf(ledger);
  expect(secondsOf(ledger)).toEqual(ledger.map((_, index) => first + index));
  expect(ledger.filter(({ outcome }) => outcome !== "ran")).toEqual([]);
  for (const { executionUrl, executionId } of ledger.slice(0, -1)) {
    const ended = await untilEnded({ ...job, executionUrl: executionUrl ?? "" });
    expect(ended).toMatchObject({ status: "done", exitCode: 0 });
    expect(starts.of(executionId ?? "")).toBe(1);
  }
  expect(new Set(ledger.map(({ executionId }) => executionId)).size).toBe(ledger.length);
  expect((await getJob(jobUrl)).executionCount).toBe(ledger.length);
  await killed.end("SIGTERM");
  await untilNoContainers(docker, database.installation);
});

test("a job that starts in 2 s runs then, once", async () => {
  await using app = await startTestApp();
  const asked = Date.now();

  const job = await enqueue(app.url, "in", { command: "echo later", startIn: "2s" });
  const before = await getJob(job.jobUrl);
  const [tick, ...more] = await untilTicks(job.jobUrl, 1);

  expect(job).toMatchObject({ executionId: null, executionUrl: null });
  expect(before).toMatchObject({ scheduled: true, executionCount: 0, ticks: [] });
  expect(more).toEqual([]);
  expect(tick).toMatchObject({ outcome: "ran", at: before.nextScheduledAt });
  const ended = await untilEnded({ ...job, executionUrl: tick?.executionUrl ?? "" });
  expect(ended).toMatchObject({ status: "done", log: "later\n", metadata: { tickAt: tick?.at } });
  expect(Date.parse(ended.startedAt ?? "")).toBeGreaterThanOrEqual(asked + 2_000);
  const after = await getJob(job.jobUrl);
  expect(after).toMatchObject({ scheduled: false, nextScheduledAt: null, executionCount: 1 });
  expect(after.ticks).toEqual(await ledgerOf(job.jobUrl));
});

test("a PUT replaces a schedule: what runs goes on as it was, what comes has the new details", async () => {
  await using app = await startTestApp();
  const job = await enqueue(app.url, "put", {
    command: ["sh", "-c", "sleep 4; echo old"],
    cron: "* * * * * *",
    overlap: "skip",
  });
  const [old] = await untilTicks(job.jobUrl, 1);
  const body = { image: "busybox", pullPolicy: "missing", command: "echo new" };

  const put = await fetch(job.jobUrl, {
    method: "PUT",
    body: JSON.stringify({ ...body, cron: "*/2 * * * * *" }),
  });

  expect(put.status).toBe(200);
  const atPut = (await ledgerOf(job.jobUrl)).length;
  const later = (await untilTicks(job.jobUrl, atPut + 2)).slice(atPut);
  expect(secondsOf(later).map((second) => second % 2)).toEqual(later.map(() => 0));
  const logOf = async (tick: TickJson | undefined) =>
    (await untilEnded({ ...job, executionUrl: tick?.executionUrl ?? "" })).log;
  expect(await logOf(later[0])).toBe("new\n");
  expect(await logOf(old)).toBe("old\n");
  await stop(job);
});

async function stop(job: Enqueued): Promise<void> {
  const response = await fetch(`${job.jobUrl}/stop/`, { method: "POST" });
  expect(response.status).toBe(200);
}

test("the next times of a schedule are told in its zone, as many as are asked for", async () => {
  await using app = await startTestApp();
  const cron = { cron: "0 3 * * *", timezone: "America/New_York" };
  const job = await enqueue(app.url, "next", { command: "true", ...cron });

  const ten = await getJson<{ next: { at: string; local: string }[] }>(`${job.jobUrl}/schedule/`);
  const three = await getJson<unknown>(`${job.jobUrl}/schedule/?count=3`);
  const wrong = await fetch(`${job.jobUrl}/schedule/?count=0`);

  expect(ten.next).toHaveLength(10);
  for (const { at, local } of ten.next) {
    expect(local).toMatch(/T03:00:00-0[45]:00$/);
    expect(Date.parse(local)).toBe(Date.parse(at));
  }
  expect(three).toEqual({
    schedule: { ...cron, overlap: "allow", catchUp: "none", canceledAt: null },
    next: ten.next.slice(0, 3),
  });
  expect((await getJob(job.jobUrl)).nextScheduledAt).toBe(ten.next[0]?.at ?? "");
  expect(wrong.status).toBe(400);
});

test("a job that was stopped has no tick any more, and its execution is stopped", async () => {
  await using app = await startTestApp();
  const job = await enqueue(app.url, "stop", {
    command: "sleep 600",
    cron: "* * * * * *",
    overlap: "skip",
  });
  await untilTicks(job.jobUrl, 2);
  const other = await enqueue(app.url, "stop", { command: "true", cron: "* * * * * *" });

  await stop(job);

  const atStop = await ledgerOf(job.jobUrl);
  await untilTicks(other.jobUrl, 3);
  expect(await ledgerOf(job.jobUrl)).toEqual(atStop);
  const executionUrl = atStop[0]?.executionUrl ?? "";
  expect(await untilEnded({ ...job, executionUrl })).toMatchObject({ status: "stopped" });
  const after = await getJob(job.jobUrl);
  expect(after).toMatchObject({ scheduled: false, nextScheduledAt: null, executionCount: 1 });
  expect(await getJson(`${job.jobUrl}/schedule/`)).toMatchObject({
    schedule: { canceledAt: expect.any(String) },
    next: [],
  });
  await stop(other);
});
