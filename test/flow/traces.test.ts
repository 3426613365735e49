import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestApp, type TestApp } from "../support/app.ts";
import {
  type Enqueued,
  enqueue,
  eventually,
  untilEnded,
  untilExecution,
} from "../support/client.ts";
import { type Collector, startCollector } from "../support/collector.ts";
import { freePort } from "../support/free-port.ts";
import type { ReceivedSpan } from "../support/otlp.ts";
import { migratedDatabase } from "../support/store.ts";
import { startReceiver } from "../support/webhook-receiver.ts";

const CALLER = { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7" };
const TRACEPARENT = `00-${CALLER.traceId}-${CALLER.spanId}-01`;
const PARTS = ["enqueue", "queue", "create", "start", "run", "log", "end"];

let collector: Collector;
let app: TestApp;
beforeAll(async () => {
  collector = startCollector();
  app = await startTestApp({
    config: {
      otlpEndpoint: collector.url,
      otlpHeaders: "x-key=a%20secret",
      webhooksAllowPrivate: true,
      webhooksExponentialBackoffMinMs: 1,
    },
  });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await collector[Symbol.asyncDispose]();
});

async function post(
  headers: Record<string, string>,
  payload: Record<string, unknown>,
): Promise<Enqueued> {
  const body = JSON.stringify({ image: "busybox", pullPolicy: "missing", ...payload });
  const answer = await fetch(`${app.url}/tasks/traced/`, { method: "POST", headers, body });
  expect(answer.status).toBe(200);
  return (await answer.json()) as Enqueued;
}

const ownTraceOf = ({ executionId }: Enqueued) => executionId.replaceAll("-", "");
const named = (spans: readonly ReceivedSpan[], name: string) => {
  const found = spans.filter((span) => span.name === name);
  expect(found, name).toHaveLength(1);
  return found[0] as ReceivedSpan;
};

test.concurrent("an execution is one trace, from the request to the end, its parts in order and inside it", async () => {
  const job = await enqueue(app.url, "traced", { command: "true", envs: { PASSWORD: "hidden" } });

  const execution = await untilEnded(job);
  const spans = await collector.trace(ownTraceOf(job), ["execution", ...PARTS]);
  const whole = named(spans, "execution");
  const parts = PARTS.map((name) => named(spans, name));
  expect(execution).toMatchObject({ traceId: whole.traceId });
  expect(whole).toMatchObject({
    parentSpanId: "",
    error: null,
    attributes: {
      "fastlane.task.id": "traced",
      "fastlane.job.id": job.jobId,
      "fastlane.execution.id": job.executionId,
      "fastlane.status": "done",
      "process.exit.code": 0,
      "container.image.name": "busybox:latest",
    },
    resource: { "service.name": "fastlane", "service.version": "test" },
  });
  expect(spans).toHaveLength(PARTS.length + 1);
  expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
  for (const part of parts) {
    expect(part).toMatchObject({ parentSpanId: whole.spanId, error: null });
    expect(part.start).toBeGreaterThanOrEqual(whole.start);
    expect(part.end).toBeGreaterThanOrEqual(part.start);
    expect(part.end).toBeLessThanOrEqual(whole.end);
  }
  const starts = parts.map(({ start }) => start);
  expect(starts).toEqual(starts.toSorted((a, b) => a - b));
  expect(JSON.stringify(spans)).not.toContain("hidden");
  expect(collector.headers.at(-1)).toMatchObject({ "x-key": "a secret" });
  expect(collector.faults).toEqual([]);
});

test.concurrent("the trace of a request goes on in its execution, its container and its webhook", async () => {
  await using receiver = await startReceiver({ answer: [500, 204] });
  const job = await post(
    { traceparent: TRACEPARENT, tracestate: "vendor=opaque, other=1" },
    {
      command: ["sh", "-c", "echo $TRACEPARENT; echo $TRACESTATE"],
      webhooks: { finishes: [{ url: `${receiver.url}/told?secret=hidden` }] },
    },
  );

  const { log } = await untilEnded(job);
  const [first, second] = await receiver.received(2);
  const spans = await collector.trace(CALLER.traceId, ["execution", ...PARTS, "webhook"]);
  const whole = named(spans, "execution");
  const run = named(spans, "run");
  expect(whole).toMatchObject({ parentSpanId: CALLER.spanId, traceState: "vendor=opaque,other=1" });
  expect(log).toBe(`00-${CALLER.traceId}-${run.spanId}-01\nvendor=opaque,other=1\n`);
  const tries = await received(
    2,
    ({ name, traceId }) => name === "webhook" && traceId === CALLER.traceId,
  );
  expect(new Set(tries.map(({ spanId }) => spanId)).size).toBe(2);
  expect(tries.map(({ parentSpanId }) => parentSpanId)).toEqual([whole.spanId, whole.spanId]);
  expect([first, second].map((request) => request?.headers["traceparent"])).toEqual(
    tries.map(({ spanId }) => `00-${CALLER.traceId}-${spanId}-01`),
  );
  expect(first?.headers["tracestate"]).toBe("vendor=opaque,other=1");
  expect(tries).toMatchObject([
    { kind: "client", error: expect.stringContaining("500"), attributes: { "error.type": "500" } },
    { kind: "client", error: null, attributes: { "http.response.status_code": 204 } },
  ]);
  expect(JSON.stringify(tries)).not.toContain("hidden");
});

/** The spans that are wanted, in the order of their beginnings, when there are so many. */
async function received(
  count: number,
  isWanted: (span: ReceivedSpan) => boolean,
): Promise<ReceivedSpan[]> {
  const found = () => collector.spans.filter(isWanted);
  return await eventually(
    () =>
      found().length >= count ? found().sort((one, other) => one.start - other.start) : undefined,
    () => `there are no ${count} such spans: ${Bun.inspect(found())}`,
  );
}

test.concurrent("one that fails is marked with its cause, and its retry is a trace that refers to it", async () => {
  const job = await enqueue(app.url, "traced", {
    command: ["sh", "-c", "exit 3"],
    retries: 1,
    backoff: { minMs: 1 },
  });

  await untilEnded(job);
  const first = named(await collector.trace(ownTraceOf(job), ["execution"]), "execution");
  expect(first).toMatchObject({ error: "exit_code: 3", attributes: { "process.exit.code": 3 } });
  const [second] = await received(1, ({ links }) => links[0]?.spanId === first.spanId);
  expect(second).toMatchObject({
    name: "execution",
    parentSpanId: "",
    attributes: { "fastlane.retry": 1 },
    links: [{ traceId: first.traceId, spanId: first.spanId }],
  });
  expect(second?.traceId).not.toBe(first.traceId);
});

test.concurrent("each tick of a schedule is a trace of its own that refers to the request", async () => {
  const job = await post({}, { command: "true", startIn: "1s" });

  const traceId = job.jobId.replaceAll("-", "");
  const request = named(await collector.trace(traceId, ["enqueue"]), "enqueue");
  const [tick] = await received(
    1,
    ({ name, attributes }) => name === "execution" && attributes["fastlane.job.id"] === job.jobId,
  );
  expect(tick?.links).toEqual([{ traceId, spanId: request.spanId }]);
  expect(tick?.traceId).not.toBe(traceId);
});

test.concurrent("one whose node is restarted meanwhile is one whole trace all the same", async () => {
  await using database = await migratedDatabase();
  const config = { otlpEndpoint: collector.url };
  const first = await startTestApp({ config, database });
  const script = "echo begun; until [ -e /tmp/go ]; do sleep 0.05; done";
  const job = await enqueue(first.url, "traced", {
    command: ["sh", "-c", `(sleep 1; touch /tmp/go) & ${script}`],
  });
  await untilExecution(job, ({ log }) => log === "begun\n");
  await first[Symbol.asyncDispose]();

  await using second = await startTestApp({ config, database });
  await untilEnded({ ...job, executionUrl: second.url + new URL(job.executionUrl).pathname });

  const spans = await collector.trace(ownTraceOf(job), ["execution", ...PARTS]);
  expect(spans.map(({ name }) => name).sort()).toEqual(["execution", ...PARTS].sort());
  const whole = named(spans, "execution");
  expect(new Set(spans.map(({ parentSpanId }) => parentSpanId))).toEqual(
    new Set(["", whole.spanId]),
  );
  const nodes = (name: string) => named(spans, name).resource["service.instance.id"];
  expect(nodes("start")).not.toBe(nodes("execution"));
});

test.concurrent("a traceparent that is malformed is as none, one that is not sampled is handed on as that", async () => {
  const other = "11111111111111111111111111111111";
  const says = { command: ["sh", "-c", "echo $TRACEPARENT"] };
  const malformed = await post({ traceparent: TRACEPARENT.slice(0, -3) }, says);
  const quiet = await post({ traceparent: `00-${other}-2222222222222222-00` }, says);

  const logs = [await untilEnded(malformed), await untilEnded(quiet)].map(({ log }) => log);

  expect(logs[0]).toMatch(new RegExp(`^00-${ownTraceOf(malformed)}-[0-9a-f]{16}-01\n$`));
  expect(logs[1]).toMatch(new RegExp(`^00-${other}-[0-9a-f]{16}-00\n$`));
  await collector.trace(ownTraceOf(malformed), ["execution"]);
  expect(collector.spans.filter(({ traceId }) => traceId === other)).toEqual([]);
});

test.concurrent("a payload's own TRACEPARENT stands", async () => {
  const job = await post(
    { traceparent: `00-${"3".repeat(32)}-${CALLER.spanId}-01`, tracestate: "vendor=opaque" },
    { command: ["sh", "-c", "echo $TRACEPARENT$TRACESTATE"], envs: { TRACEPARENT: "mine" } },
  );

  expect((await untilEnded(job)).log).toBe("mine\n");
});

test.concurrent("a collector that is down or never answers costs spans, a line in the log, and no execution", async () => {
  await using silent = await startReceiver({ answer: "silence" });
  const down = `http://127.0.0.1:${await freePort()}`;
  const ends = [down, silent.url].map(async (url) => {
    const lonely = await startTestApp({ config: { otlpEndpoint: url } });
    const job = await enqueue(lonely.url, "traced", { command: "true" });
    const { status } = await untilEnded(job);
    const began = performance.now();
    await lonely[Symbol.asyncDispose]();
    return { url, status, ms: performance.now() - began, said: lonely.complaints.join("\n") };
  });

  for (const { url, status, ms, said } of await Promise.all(ends)) {
    expect(status).toBe("done");
    expect(ms).toBeLessThan(8_000);
    expect(said).toMatch(/^lost spans of traces/m);
    expect(said).toContain(`"collector":"${url}"`);
  }
});
