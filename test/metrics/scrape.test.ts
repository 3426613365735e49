import { afterAll, beforeAll, expect, test } from "bun:test";
import { families } from "../../scripts/metrics-table.ts";
import { jsonOf } from "../http/request.ts";
import { type Api, startApi } from "../support/api.ts";
import { eventually } from "../support/client.ts";
import { openSocket, socketUrl } from "../support/log-socket.ts";
import { promtool } from "../support/promtool.ts";
import { type Scraped, scrape } from "../support/scrape.ts";

const POOLS = [
  { match: "^reports-", hosts: ["tcp://10.0.0.7:2375"], maxRunning: 3 },
  { match: "", hosts: ["ssh://deploy@10.0.0.9"], maxRunning: 20 },
];
const IMAGE = "canary-image-51c9";

let api: Api;
let submitter: string;
/** For tasks none of which is there. */
let elsewhere: string;
beforeAll(async () => {
  const pools = { dockerHosts: POOLS as never };
  api = await startApi({ ...pools, requireAuthentication: true, metricsPort: 0 });
  submitter = await api.token({ role: "submitter" });
  elsewhere = await api.token({ role: "viewer", taskMatch: "^elsewhere$" });
});
afterAll(() => api[Symbol.asyncDispose]());

const scraped = () => scrape(`${api.url}/metrics`, { authorization: `Bearer ${elsewhere}` });

/** The first scrape of which something holds: what the rows tell is kept for a second. */
const scrapedWhen = (holds: (seen: Scraped) => boolean) =>
  eventually(
    async () => {
      const seen = await scraped();
      return holds(seen) ? seen : undefined;
    },
    () => "no scrape tells it",
  );

async function enqueue(taskId: string) {
  const body = JSON.stringify({ image: IMAGE, command: "true" });
  return await jsonOf(await api.ask(`/tasks/${taskId}/`, submitter, { method: "POST", body }));
}

test("what is made, waits and ends is told by pool, and nothing of it by task or image", async () => {
  const made = [await enqueue("reports-1"), await enqueue("first"), await enqueue("first")];
  await api.ask(`${new URL(made[0].jobUrl).pathname}/stop/`, submitter, { method: "POST" });

  const seen = await scrapedWhen(
    (now) => now.value("fastlane_executions_waiting", { pool: "*" }) === 2,
  );

  const enqueued = (pool: string) =>
    seen.value("fastlane_executions_enqueued_total", { pool, origin: "request" });
  expect([enqueued("^reports-"), enqueued("*")]).toEqual([1, 2]);
  const stopped = { pool: "^reports-", status: "stopped", cause: "stopped" };
  expect(seen.value("fastlane_executions_ended_total", stopped)).toBe(1);
  expect(seen.value("fastlane_execution_whole_seconds_count", { pool: "^reports-" })).toBe(1);
  expect(seen.value("fastlane_executions_waiting", { pool: "^reports-" })).toBe(0);
  expect(seen.value("fastlane_executions_oldest_wait_seconds", { pool: "*" })).toBeGreaterThan(0);
  expect(seen.value("fastlane_pool_max_running", { pool: "^reports-" })).toBe(3);
  const ids = made.flatMap(({ executionId, jobId }) => [executionId, jobId]);
  for (const word of [...ids, "reports-1", IMAGE, submitter]) expect(seen.text).not.toContain(word);
});

test("hosts without a row, nodes and Postgres are told of", async () => {
  const seen = await scraped();

  const ofHost = { host: "tcp://10.0.0.7:2375" };
  expect(seen.value("fastlane_host_owned", ofHost)).toBe(0);
  expect(seen.value("fastlane_host_up", ofHost)).toBe(0);
  expect(seen.value("fastlane_host_circuit", { ...ofHost, state: "closed" })).toBe(1);
  expect(seen.value("fastlane_host_circuit", { ...ofHost, state: "open" })).toBe(0);
  expect(seen.value("fastlane_nodes")).toBe(0);
  expect(seen.value("fastlane_postgres_up")).toBe(1);
  expect(seen.value("fastlane_postgres_max_connections")).toBeGreaterThan(10);
  expect(seen.value("fastlane_database_size_bytes")).toBeGreaterThan(1e6);
  expect(seen.value("fastlane_build_info", { version: "test" })).toBe(1);
});

test("requests are counted by operation, method and status, whatever is asked for", async () => {
  await api.ask("/tasks/", submitter);
  await api.ask("/tasks/", null);
  await api.ask(`/nothing/${crypto.randomUUID()}`, submitter);
  await api.ask("/hosts/", submitter, { method: "PROPFIND" });

  const seen = await scraped();
  const total = (operation: string, method: string, status: string) =>
    seen.value("fastlane_http_requests_total", { operation, method, status });
  expect(total("listTasks", "GET", "200")).toBe(1);
  expect(total("route", "GET", "401")).toBe(1);
  expect(total("route", "GET", "404")).toBe(1);
  expect(total("route", "other", "405")).toBe(1);
  expect(
    seen.value("fastlane_http_request_duration_seconds_count", { operation: "listTasks" }),
  ).toBe(1);
});

test("sockets and streams count as open until they are closed", async () => {
  const headers = { authorization: `Bearer ${submitter}` };
  const { executionUrl } = await enqueue("first");
  const tailUrl = `${api.url.replace("http", "ws")}/tail/ws/?match=^nothing$`;
  const all = [openSocket(socketUrl(executionUrl), headers), openSocket(tailUrl, headers)];
  await Promise.all(all.map(({ opened }) => opened));
  const leave = new AbortController();
  const events = await fetch(`${executionUrl}events/`, { headers, signal: leave.signal });
  const open = (seen: Scraped) =>
    ["ws", "tail", "sse"].map((kind) => seen.value("fastlane_http_streams_open", { kind }));

  const during = await scrapedWhen((seen) => !open(seen).includes(0));
  for (const socket of all) socket[Symbol.dispose]();
  leave.abort();
  await events.text().catch(() => {});
  const after = await scrapedWhen((seen) => open(seen).every((count) => count === 0));

  expect(open(during)).toEqual([1, 1, 1]);
  const opening = { operation: "executionSocket", method: "GET", status: "101" };
  expect(after.value("fastlane_http_requests_total", opening)).toBe(1);
});

test("the listener of its own has the metrics alone, for nobody in particular", async () => {
  const url = api.metricsUrl ?? "";

  const there = await scrape(url);
  const elsewhere = await fetch(url.replace("/metrics", "/tasks/"));
  const posted = await fetch(url, { method: "POST", body: "" });
  const rebound = await fetch(url, { headers: { host: "attacker.example" } });

  expect(there.value("fastlane_build_info")).toBe(1);
  expect([elsewhere.status, posted.status, rebound.status]).toEqual([404, 405, 403]);
});

test("promtool finds nothing to say of a scrape, and no name is missing in it", async () => {
  const { text } = await scraped();

  const said = await promtool(["check", "metrics"], { input: text });
  const named = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name, type]) => [name, type]);

  expect(said).toBe("");
  expect(named).toEqual(families().map(({ name, type }) => [name ?? "", type]));
});

test("while Postgres does not answer, a scrape tells that, and what this node has counted", async () => {
  const { database, metricsUrl } = api;
  await api.store.sql.unsafe("ALTER TABLE fastlane.nodes RENAME TO gone");

  const without = await eventually(
    async () => {
      const seen = await scrape(metricsUrl ?? "");
      return seen.value("fastlane_postgres_up") === 0 ? seen : undefined;
    },
    () => `${database.url} is told to answer`,
  );
  await api.store.sql.unsafe("ALTER TABLE fastlane.gone RENAME TO nodes");

  const names = new Set(without.samples.map(({ name }) => name));
  expect(names).toContain("fastlane_executions_enqueued_total");
  for (const name of ["fastlane_nodes", "fastlane_host_up", "fastlane_executions_waiting"]) {
    expect(names).not.toContain(name);
  }
});
