import { afterAll, beforeAll, expect, test } from "bun:test";
import { Webhook } from "standardwebhooks";
import { startTestApp, type TestApp } from "../support/app.ts";
import { type Enqueued, enqueue, eventually, untilEnded } from "../support/client.ts";
import { type ReceivedRequest, startReceiver } from "../support/webhook-receiver.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/** Ends at once when it is stopped. */
const SLEEPS = "trap exit TERM; while :; do sleep 0.05; done";
const QUICK = {
  webhooksAllowPrivate: true,
  webhooksExponentialBackoffMinMs: 10,
  webhooksExponentialBackoffFactor: 1,
};

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ config: QUICK });
});
afterAll(() => app[Symbol.asyncDispose]());

interface Delivery {
  id: string;
  event: string;
  kind: string;
  source: string;
  target: string;
  status: string;
  dueAt: string | null;
  attempts: {
    try: number;
    ok: boolean;
    code: number | null;
    answer: string;
    error: string | null;
  }[];
  redeliverUrl: string;
}

async function ledgerOf({ executionUrl }: Enqueued): Promise<Delivery[]> {
  const answer = await fetch(`${executionUrl}deliveries/`);
  return ((await answer.json()) as { items: Delivery[] }).items;
}

/** The ledger, when it is as wanted. */
async function untilLedger(
  job: Enqueued,
  isAsWanted: (ledger: Delivery[]) => boolean,
): Promise<Delivery[]> {
  let last: Delivery[] = [];
  return await eventually(
    async () => {
      last = await ledgerOf(job);
      return isAsWanted(last) ? last : undefined;
    },
    () => `the ledger is not as wanted: ${Bun.inspect(last)}`,
  );
}

const bodyOf = ({ body }: ReceivedRequest): Record<string, unknown> => JSON.parse(body);

test.each([
  ["done", { command: "true" }, ["starts", "succeeds", "finishes"]],
  ["failed", { command: "false" }, ["starts", "fails", "finishes"]],
  ["timedout", { command: ["sh", "-c", SLEEPS], timeout: 1 }, ["starts", "fails", "finishes"]],
  ["expired", { command: "true", expiration: 1 }, ["finishes"]],
  [
    "failed",
    { command: "true", image: "no-such-image:1", pullPolicy: "never" },
    ["fails", "finishes"],
  ],
] as const)(
  "of one that ends as %s, %p, who asks for it is told",
  async (status, payload, events) => {
    await using receiver = await startReceiver();
    const all = Object.fromEntries(
      ["starts", "succeeds", "fails", "finishes"].map((event) => [
        event,
        [{ url: `${receiver.url}/${event}` }],
      ]),
    );

    const job = await enqueue(app.url, "told", { ...payload, webhooks: all });
    const ended = await untilEnded(job);
    const requests = await receiver.received(events.length);

    expect(ended.status).toBe(status);
    expect(requests.map(({ path }) => path.slice(1)).sort()).toEqual([...events].sort());
    const ledger = await untilLedger(job, (items) =>
      items.every((item) => item.status === "delivered"),
    );
    expect(ledger.map(({ event }) => event).sort()).toEqual([...events].sort());
  },
);

test("one that is stopped while it waits finishes, and neither succeeds nor fails", async () => {
  await using receiver = await startReceiver();
  const hooks = [{ url: receiver.url }];
  const job = await enqueue(app.url, "told", {
    command: "true",
    concurrencyKey: "full",
    concurrencyLimit: 1,
    startIn: "1h",
    webhooks: { succeeds: hooks, fails: hooks, finishes: hooks },
  });
  const running = await enqueue(app.url, "told", {
    command: ["sh", "-c", SLEEPS],
    webhooks: { succeeds: hooks, fails: hooks, finishes: hooks },
  });

  await fetch(`${job.jobUrl}/stop/`, { method: "POST" });
  await fetch(`${running.jobUrl}/stop/`, { method: "POST" });
  await untilEnded(running);
  const [request] = await receiver.received(1);

  expect(request && bodyOf(request)).toMatchObject({ event: "finishes", status: "stopped" });
  expect((await ledgerOf(running)).map(({ event }) => event)).toEqual(["finishes"]);
});

test("the body is the execution as GET shows it, with whose it is, signed by the secret", async () => {
  await using receiver = await startReceiver();
  const job = await enqueue(app.url, "told", {
    command: ["sh", "-c", "echo out; echo err >&2; exit 3"],
    metadata: { username: "heynemann" },
    webhooks: {
      fails: [
        {
          url: `${receiver.url}/x?y=1`,
          method: "PUT",
          headers: { "X-Team": "ops" },
          secret: SECRET,
        },
      ],
    },
  });
  const ended = await untilEnded(job);

  const [request] = await receiver.received(1);

  if (request === undefined) throw new Error("nothing came");
  const { metadata, ...execution } = ended;
  expect(bodyOf(request)).toMatchObject({
    ...execution,
    metadata: { docker_host: metadata.docker_host, custom: { username: "heynemann" } },
    event: "fails",
    job_id: job.jobId,
    task_id: "told",
  });
  expect([request.method, request.path, request.headers["x-team"]]).toEqual([
    "PUT",
    "/x?y=1",
    "ops",
  ]);
  expect(new Webhook(SECRET).verify(request.body, request.headers)).toEqual(bodyOf(request));
  const [delivery] = await untilLedger(job, ([item]) => item?.status === "delivered");
  expect(request.headers["webhook-id"]).toBe(delivery?.id ?? "");
  expect(JSON.stringify(await ledgerOf(job))).not.toContain(SECRET);
});

test("what fails is tried again under the same id, and each try is in the ledger", async () => {
  await using receiver = await startReceiver({
    answer: [{ status: 500, body: "not today" }, "reset", 200],
  });
  const job = await enqueue(app.url, "told", {
    command: "true",
    webhooks: { succeeds: [{ url: receiver.url }] },
  });

  const requests = await receiver.received(3);
  const [delivery] = await untilLedger(job, ([item]) => item?.status === "delivered");

  expect(new Set(requests.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
  expect(delivery?.attempts).toMatchObject([
    { try: 1, ok: false, code: 500, answer: "not today" },
    { try: 2, ok: false, code: null, answer: "" },
    { try: 3, ok: true, code: 200, error: null },
  ]);
  expect(delivery?.attempts.map(({ error }) => error).slice(0, 2)).toEqual([
    expect.stringContaining("500"),
    expect.stringMatching(/\w/),
  ]);
  const { metadata } = await untilEnded(job);
  expect(metadata).toMatchObject({
    webhookDispatch: [{ statusCode: 200 }, { statusCode: null }, { statusCode: 500 }],
  });
});

test("a receiver that asks for patience gets it", async () => {
  await using receiver = await startReceiver({
    answer: { status: 429, headers: { "retry-after": "3600" } },
  });
  const job = await enqueue(app.url, "told", {
    command: "true",
    webhooks: { succeeds: [{ url: receiver.url }] },
  });

  await receiver.received(1);
  const [delivery] = await untilLedger(job, ([item]) => (item?.attempts.length ?? 0) > 0);

  const waits = Date.parse(delivery?.dueAt ?? "") - Date.now();
  expect(delivery?.status).toBe("waiting");
  expect(waits).toBeGreaterThan(3_000_000);
});

test("after its last try a delivery is dead, until somebody has it sent again", async () => {
  await using receiver = await startReceiver({ answer: 503 });
  const job = await enqueue(app.url, "told", {
    command: "true",
    webhooks: { succeeds: [{ url: receiver.url, retries: 1 }] },
  });
  const [dead] = await untilLedger(job, ([item]) => item?.status === "dead");
  receiver.answer(204);

  const again = await fetch(dead?.redeliverUrl ?? "", { method: "POST" });
  const [delivered] = await untilLedger(job, ([item]) => item?.status === "delivered");

  expect(dead?.attempts.map(({ code }) => code)).toEqual([503, 503]);
  expect([again.status, await again.json()]).toMatchObject([200, { status: "waiting" }]);
  expect(delivered?.attempts.map(({ code }) => code)).toEqual([503, 503, 204]);
  expect(new Set(receiver.requests.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
});

test("a delivery that is none is a 404 that says so", async () => {
  const job = await enqueue(app.url, "told", { command: "true" });
  await untilEnded(job);

  const answer = await fetch(`${job.executionUrl}deliveries/${crypto.randomUUID()}/redeliver/`, {
    method: "POST",
  });

  expect(answer.status).toBe(404);
  expect(await answer.json()).toMatchObject({ error: expect.stringContaining("no delivery") });
});

test("receivers that do not answer hold nobody up", async () => {
  await using silent = await startReceiver({ answer: "silence" });
  await using well = await startReceiver();
  const hooks = Array.from({ length: 20 }, (_, i) => ({ url: `${silent.url}/${i}` }));
  const job = await enqueue(app.url, "told", { command: "true", webhooks: { succeeds: hooks } });
  await silent.received(6);

  const next = await enqueue(app.url, "told", {
    command: "true",
    webhooks: { succeeds: [{ url: well.url }] },
  });
  await well.received(1);

  const waiting = (await ledgerOf(job)).filter(({ status }) => status === "waiting");
  expect(waiting.length).toBe(20);
  expect(silent.requests.length).toBe(6);
  expect((await untilEnded(next)).status).toBe("done");
});

test("the service's own webhooks are for tasks that match, beside the job's", async () => {
  await using receiver = await startReceiver();
  await using own = await startTestApp({
    config: {
      ...QUICK,
      webhooks: [
        { match: "^re", events: ["succeeds"], url: `${receiver.url}/service`, secret: SECRET },
        { match: "^other", events: ["succeeds"], url: `${receiver.url}/other` },
      ],
    },
  });

  const job = await enqueue(own.url, "reports", {
    command: "true",
    webhooks: { succeeds: [{ url: `${receiver.url}/job` }] },
  });
  const requests = await receiver.received(2);

  expect(requests.map(({ path }) => path).sort()).toEqual(["/job", "/service"]);
  const ledger = await untilLedger(job, (items) =>
    items.every(({ status }) => status === "delivered"),
  );
  expect(ledger.map(({ source, target }) => [source, target]).sort()).toEqual([
    ["job", `${receiver.url}/job`],
    ["service", receiver.url],
  ]);
  const { metadata } = await untilEnded(job);
  expect(metadata).toMatchObject({ webhookDispatch: [{ url: `${receiver.url}/job` }] });
});

test("an address that may not be called is refused, and the ledger says why", async () => {
  await using receiver = await startReceiver();
  await using strict = await startTestApp();

  const job = await enqueue(strict.url, "told", {
    command: "true",
    webhooks: { succeeds: [{ url: receiver.url }] },
  });
  const [delivery] = await untilLedger(job, ([item]) => item?.status === "dead");

  expect(delivery?.attempts).toMatchObject([
    { ok: false, code: null, error: expect.stringContaining("webhooksAllowPrivate") },
  ]);
  expect(receiver.requests).toEqual([]);
});
