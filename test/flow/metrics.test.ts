import { expect, test } from "bun:test";
import { jsonOf } from "../http/request.ts";
import { eventually, untilEnded } from "../support/client.ts";
import { testEngine } from "../support/engine.ts";
import { startFastlane } from "../support/process.ts";
import { type Scraped, scrape } from "../support/scrape.ts";
import { migratedDatabase } from "../support/store.ts";
import { startReceiver } from "../support/webhook-receiver.ts";

test("the binary counts what an execution does, and its log tells its whole way by its id", async () => {
  const { host, registry } = await testEngine();
  await using database = await migratedDatabase();
  await using receiver = await startReceiver();
  await using fastlane = await startFastlane({
    environment: {
      DATABASE_URL: database.url,
      FASTLANE_DOCKER_HOSTS: JSON.stringify([{ hosts: [host] }]),
      FASTLANE_WEBHOOKS_ALLOW_PRIVATE: "true",
      FASTLANE_LOG_LEVEL: "debug",
    },
  });
  const payload = {
    image: `${registry}/busybox`,
    command: 'sh -c "echo canary-line; exit 3"',
    webhooks: { finishes: [{ url: receiver.url }] },
  };

  const answer = await fetch(`${fastlane.url}/tasks/followed/`, {
    method: "POST",
    body: JSON.stringify(payload),
    headers: { "x-request-id": "asked-for-it" },
  });
  const made = await jsonOf(answer);
  const { executionId, jobId, taskId } = made;
  await untilEnded(made);
  const seen = await eventually(
    async () => {
      const now: Scraped = await scrape(`${fastlane.url}/metrics`);
      const sent = { kind: "webhook", outcome: "delivered" };
      return now.value("fastlane_delivery_tries_total", sent) === 1 ? now : undefined;
    },
    () => "no webhook was counted",
  );
  const lines = fastlane
    .stderr()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

  const pool = "*";
  const counted = {
    enqueued: seen.value("fastlane_executions_enqueued_total", { pool, origin: "request" }),
    placed: seen.value("fastlane_execution_wait_seconds_count", { pool }),
    pulled: seen.value("fastlane_image_pull_seconds_count", { pool, outcome: "ok" }),
    started: seen.value("fastlane_executions_started_total", { pool, host }),
    ended: seen.value("fastlane_executions_ended_total", {
      pool,
      status: "failed",
      cause: "exit_code",
    }),
    ran: seen.value("fastlane_execution_run_seconds_count", { pool }),
    whole: seen.value("fastlane_execution_whole_seconds_count", { pool }),
    gaps: seen.value("fastlane_log_gaps_total", { pool }),
    leases: seen.value("fastlane_leases_held"),
    sent: seen.value("fastlane_delivery_duration_seconds_count", { kind: "webhook" }),
  };
  expect(counted).toEqual({
    enqueued: 1,
    placed: 1,
    pulled: 1,
    started: 1,
    ended: 1,
    ran: 1,
    whole: 1,
    gaps: 0,
    leases: 1,
    sent: 1,
  });
  expect(seen.value("fastlane_log_stored_bytes_total")).toBeGreaterThanOrEqual(
    "canary-line\n".length,
  );
  expect(seen.value("fastlane_nodes")).toBe(1);
  expect(seen.value("fastlane_host_up", { host })).toBe(1);
  expect(seen.value("fastlane_node_info")).toBe(1);
  for (const { level, time, msg } of lines) {
    expect(["debug", "info", "warn", "error"]).toContain(level);
    expect(new Date(time).toISOString()).toBe(time);
    expect(msg).toBeString();
  }
  const way = lines.filter((line) => line.executionId === executionId);
  expect(way.map(({ msg }) => msg)).toEqual(["enqueued", "started", "ended", "delivery"]);
  const ids = { executionId, jobId, taskId };
  expect(way).toMatchObject([
    { ...ids, requestId: "asked-for-it", origin: "request" },
    { ...ids, host },
    { ...ids, host, status: "failed", failureCause: "exit_code", exitCode: 3 },
    { event: "finishes", kind: "webhook", outcome: "delivered", code: 204 },
  ]);
  expect(
    lines.find(({ requestId, msg }) => requestId === "asked-for-it" && msg === "request"),
  ).toMatchObject({ level: "debug", method: "POST", operation: "enqueueJob", status: 200 });
  expect(fastlane.stderr()).not.toContain("canary-line");
});
