import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Act } from "../../src/payload/audit-answers.ts";
import { openStore, type Store } from "../../src/store/connect.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import type { Enqueued } from "../support/client.ts";
import { errorOf, jsonOf } from "./request.ts";

const API_ONLY = { api: true, worker: false };
const HOST = "tcp://10.0.0.7:2375";
const dockerHosts = [{ match: "", hosts: [HOST], maxRunning: 20 }];
const LOGIN = { authorization: `Basic ${btoa("ada:lovelace")}` };
const ADA = { kind: "basic", name: "ada" } as const;
/** Nothing of a payload is to be found in the audit but its image. */
const SECRETS = [
  "env-s3cret",
  "cmd-s3cret",
  "hook-s3cret",
  "url-s3cret",
  "head-s3cret",
  "meta-s3cret",
];
const GOOD = {
  image: "busybox",
  command: "echo cmd-s3cret",
  envs: { PASSWORD: "env-s3cret" },
  metadata: { note: "meta-s3cret" },
  webhooks: {
    finishes: [
      {
        url: "https://example.com/url-s3cret",
        headers: { "X-Secret": "head-s3cret" },
        secret: `whsec_${btoa("hook-s3cret-hook-s3cret-hook-s3cret")}`,
      },
    ],
  },
};
const LATER = { ...GOOD, startIn: "1h" };
const KEYED = { ...GOOD, idempotencyKey: "once" };
/** The transaction of a request with this id fails when all of it is written. */
const DOOMED = "doomed";

let app: TestApp;
let store: Store;
beforeAll(async () => {
  const config = { dockerHosts, basicAuthUsername: "ada", basicAuthPassword: "lovelace" };
  app = await startTestApp({ config, roles: API_ONLY });
  store = openStore({ address: app.database.address, max: 1 });
  await store.sql`INSERT INTO fastlane.hosts (name) VALUES (${HOST})`;
  await store.sql.unsafe(`
    CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''${DOOMED}''; END';
    CREATE CONSTRAINT TRIGGER doom AFTER INSERT ON fastlane.audit DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW WHEN (NEW.request_id = '${DOOMED}') EXECUTE FUNCTION fail()`);
});
afterAll(async () => {
  await store.close();
  await app[Symbol.asyncDispose]();
});

type Ask = (headers?: Record<string, string>) => Promise<Response>;

const send =
  (method: string, path: string, body?: unknown): Ask =>
  (headers = {}) =>
    fetch(path.startsWith("http") ? path : app.url + path, {
      method,
      headers: { ...LOGIN, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });

async function made(task: string, payload: unknown = GOOD): Promise<Enqueued> {
  return await jsonOf(await send("POST", `/tasks/${task}/`, payload)());
}

async function audit(query: string): Promise<{ items: Act[]; nextCursor: string | null }> {
  return await jsonOf(await send("GET", `/audit/?${query}`)());
}

/** What is kept of what is done meanwhile, the oldest first. */
async function actsOf(doIt: () => Promise<unknown>): Promise<Act[]> {
  const before = new Set((await audit("limit=1000")).items.map(({ id }) => id));
  await doIt();
  const { items } = await audit("limit=1000");
  return items.filter(({ id }) => !before.has(id)).reverse();
}

const runs = async ({ executionId }: Enqueued) => {
  await store.sql`UPDATE fastlane.executions SET status = 'running', host = ${HOST},
    claimed_at = now(), started_at = now(), container_id = ${"a".repeat(64)}
    WHERE id = ${executionId}`;
};
const isEnded = async (job: Enqueued) => {
  await runs(job);
  await store.sql`UPDATE fastlane.executions SET status = 'failed', failure_cause = 'exit_code',
    exit_code = 1, finished_at = now() WHERE id = ${job.executionId}`;
};

/** Everything that an act could change. */
async function everything(): Promise<string> {
  const tables = ["tasks", "jobs", "executions", "schedules", "ticks", "hosts", "tokens"];
  const ours = [...tables, "deliveries", "idempotency_keys", "audit"].map((t) => `fastlane.${t}`);
  const parts = [...ours, "graphile_worker.jobs"].map(
    (table) =>
      `(SELECT coalesce(md5(string_agg(t::text, ',' ORDER BY t::text)), '') FROM ${table} t)`,
  );
  const [row] = await store.sql.unsafe(`SELECT ${parts.join(" || ' ' || ")} AS all`);
  return row?.["all"];
}

/** What is done at once is in no order. */
const byExecution = (a: Pick<Act, "execution">, b: Pick<Act, "execution">) =>
  (a.execution ?? "").localeCompare(b.execution ?? "");

interface Given {
  ask: Ask;
  /** What is kept, beside who it was; nothing of what is not named here. */
  kept(answer: unknown): Partial<Act>[];
}

const MADE = { image: "busybox:latest", scheduled: false };
const about = ({ taskId, jobId, executionId }: Enqueued) => ({
  task: taskId,
  job: jobId,
  execution: executionId,
});
const onHost = (method: string, path: string, action: Act["action"]): Given => ({
  ask: send(method, path, { host: HOST }),
  kept: () => [{ action, host: HOST }],
});

type Prepare = (task: string) => Promise<Given>;
const ONCE = { repeats: true };
const AGAIN = { repeats: false };
const ACTS: [string, { repeats: boolean }, Prepare][] = [
  [
    "a job that begins at once",
    AGAIN,
    async (task) => ({
      ask: send("POST", `/tasks/${task}/`, GOOD),
      kept: (job) => [{ action: "enqueue", ...about(job as Enqueued), details: MADE }],
    }),
  ],
  [
    "a job that begins later",
    AGAIN,
    async (task) => ({
      ask: send("POST", `/tasks/${task}/`, LATER),
      kept: (job) => [
        { action: "enqueue", ...about(job as Enqueued), details: { ...MADE, scheduled: true } },
      ],
    }),
  ],
  [
    "a job with an idempotency key",
    ONCE,
    async (task) => ({
      ask: send("POST", `/tasks/${task}/`, KEYED),
      kept: (job) => [{ action: "enqueue", ...about(job as Enqueued), details: MADE }],
    }),
  ],
  [
    "a list of jobs, one of which is there by its key",
    AGAIN,
    async (task) => {
      const { jobId } = await made(task, KEYED);
      return {
        ask: send("POST", `/tasks/${task}/bulk/`, [GOOD, KEYED, GOOD]),
        kept: (jobs) =>
          (jobs as Enqueued[])
            .filter((job) => job.jobId !== jobId)
            .map((job) => ({ action: "enqueue", ...about(job), details: MADE })),
      };
    },
  ],
  [
    "a job with an id of the client's",
    AGAIN,
    async (task) => ({
      ask: send("PUT", `/tasks/${task}/jobs/${crypto.randomUUID()}/`, GOOD),
      kept: (job) => [{ action: "put", ...about(job as Enqueued), details: MADE }],
    }),
  ],
  [
    "a job with an id and a key",
    ONCE,
    async (task) => ({
      ask: send("PUT", `/tasks/${task}/jobs/${crypto.randomUUID()}/`, KEYED),
      kept: (job) => [{ action: "put", ...about(job as Enqueued), details: MADE }],
    }),
  ],
  [
    "a stop of an execution that waits",
    ONCE,
    async (task) => {
      const job = await made(task);
      return {
        ask: send("POST", `${job.executionUrl}stop/`),
        kept: () => [{ action: "stop", ...about(job) }],
      };
    },
  ],
  [
    "a stop of an execution that runs",
    ONCE,
    async (task) => {
      const job = await made(task);
      await runs(job);
      return {
        ask: send("POST", `${job.executionUrl}stop/`),
        kept: () => [{ action: "stop", ...about(job) }],
      };
    },
  ],
  [
    "a stop of a job",
    ONCE,
    async (task) => {
      const job = await made(task);
      return {
        ask: send("POST", `${job.jobUrl}/stop/`),
        kept: () => [{ action: "stop", ...about(job) }],
      };
    },
  ],
  [
    "a stop of a schedule",
    ONCE,
    async (task) => {
      const job = await made(task, LATER);
      return {
        ask: send("POST", `${job.jobUrl}/stop/`),
        kept: () => [{ action: "stop", ...about(job), details: { schedule: true } }],
      };
    },
  ],
  [
    "a stop of many",
    ONCE,
    async (task) => {
      const jobs = [await made(task), await made(task)];
      await isEnded(await made(task));
      return {
        ask: send("POST", "/executions/stop/", { task }),
        kept: (answer) => {
          expect(answer).toMatchObject({ count: 2 });
          return jobs.map((job) => ({ action: "stop", ...about(job) }));
        },
      };
    },
  ],
  [
    "a retry of what has ended",
    AGAIN,
    async (task) => {
      const job = await made(task);
      await isEnded(job);
      return {
        ask: send("POST", `${job.jobUrl}/retry/`),
        kept: (again) => [{ action: "retry", ...about(again as Enqueued) }],
      };
    },
  ],
  [
    "a retry of what runs",
    AGAIN,
    async (task) => {
      const job = await made(task);
      await runs(job);
      return {
        ask: send("POST", `${job.jobUrl}/retry/`),
        kept: (again) => [
          {
            action: "retry",
            ...about(again as Enqueued),
            details: { stopped: job.executionId },
          },
        ],
      };
    },
  ],
  [
    "a retry of many",
    AGAIN,
    async (task) => {
      const job = await made(task);
      await isEnded(job);
      await made(task, LATER);
      return {
        ask: send("POST", "/executions/retry/", { task, status: "failed" }),
        kept: (answer) => {
          const [again] = (answer as { executions: { id: string }[] }).executions;
          return [{ action: "retry", ...about(job), execution: again?.id ?? "" }];
        },
      };
    },
  ],
  [
    "a redelivery",
    AGAIN,
    async (task) => {
      const job = await made(task);
      await isEnded(job);
      const [row] = await store.sql<{ id: string }[]>`
        INSERT INTO fastlane.deliveries (
          execution_id, event, kind, source, position, target, status, max_tries, due_at
        ) VALUES (
          ${job.executionId}, 'fails', 'webhook', 'job', 0, 'http://10.0.0.9/url-s3cret', 'dead', 1, NULL
        ) RETURNING id`;
      const delivery = row?.id ?? "";
      return {
        ask: send("POST", `${job.executionUrl}deliveries/${delivery}/redeliver/`),
        kept: () => [
          {
            action: "redeliver",
            ...about(job),
            details: { delivery, event: "fails", kind: "webhook" },
          },
        ],
      };
    },
  ],
  ["a blacklisting", ONCE, async () => onHost("POST", "/docker-executor/blacklist/", "blacklist")],
  [
    "an end of the blacklisting",
    ONCE,
    async () => onHost("DELETE", "/docker-executor/blacklist/", "blacklist.lift"),
  ],
  [
    "a drain",
    ONCE,
    async () => ({
      ask: send("POST", "/hosts/drain/", { host: HOST, deadline: "2100-01-01T00:00:00Z" }),
      kept: () => [
        { action: "drain", host: HOST, details: { deadline: "2100-01-01T00:00:00.000Z" } },
      ],
    }),
  ],
  [
    "another deadline of a drain",
    ONCE,
    async () => ({
      ask: send("POST", "/hosts/drain/", { host: HOST, deadline: null }),
      kept: () => [{ action: "drain", host: HOST, details: { deadline: null } }],
    }),
  ],
  [
    "an end of the drain",
    ONCE,
    async () => onHost("DELETE", "/docker-executor/blacklist/", "blacklist.lift"),
  ],
  [
    "a token that is made",
    ONCE,
    async () => ({
      ask: send("POST", "/tokens/", { name: "ci", role: "viewer", taskMatch: "^a" }),
      kept: (token) => [
        {
          action: "token.create",
          details: {
            token: "ci",
            id: (token as { id: string }).id,
            role: "viewer",
            taskMatch: "^a",
            expiresAt: null,
          },
        },
      ],
    }),
  ],
  [
    "a token that is revoked",
    ONCE,
    async () => ({
      ask: send("DELETE", "/tokens/ci/"),
      kept: (token) => [
        { action: "token.revoke", details: { token: "ci", id: (token as { id: string }).id } },
      ],
    }),
  ],
  [
    "a blacklisting by PUT",
    ONCE,
    async () => onHost("PUT", "/docker-executor/blacklist/", "blacklist"),
  ],
];

test.each(ACTS)(
  "%s is kept as it was, if and only if it was done",
  async (name, { repeats }, prepare) => {
    const task = name.replaceAll(/\W/g, "-");
    const { ask, kept } = await prepare(task);
    const before = await everything();
    const begun = Date.now();
    let answer: unknown;

    const failed = await ask({ "x-request-id": DOOMED });
    const between = await everything();
    const acts = await actsOf(async () => {
      answer = await jsonOf(await ask({ "x-request-id": task }));
    });
    const more = repeats ? await actsOf(() => ask()) : [];

    expect(failed.status).toBe(500);
    expect(between).toBe(before);
    const nothing = { task: null, job: null, execution: null, host: null, details: {} };
    const by = { actor: ADA, address: "127.0.0.1", requestId: task };
    const expected = kept(answer).map((each) => ({ ...nothing, ...by, ...each }));
    const seen = acts.map(({ id: _, at: __, ...act }) => act);
    expect(seen.toSorted(byExecution)).toEqual(expected.toSorted(byExecution) as typeof seen);
    for (const { at } of acts) expect(Math.abs(Date.parse(at) - begun)).toBeLessThan(60_000);
    expect(more).toEqual([]);
  },
);

test("what is only asked about, or refused, is not kept", async () => {
  const job = await made("asked");
  const scheduled = await made("asked", LATER);

  const acts = await actsOf(async () => {
    const asked = [
      send("POST", "/executions/stop/", { task: "asked", dryRun: true }),
      send("POST", "/executions/retry/", { task: "asked", dryRun: true }),
      send("GET", `${job.jobUrl}/`),
      send("POST", `${scheduled.jobUrl}/retry/`),
      send("POST", "/tasks/asked/", { image: "busybox", privileged: true }),
      send("POST", "/tasks/asked/bulk/", [GOOD, {}]),
      send("POST", "/hosts/drain/", { host: "elsewhere" }),
      send("POST", `${job.executionUrl}deliveries/${crypto.randomUUID()}/redeliver/`),
    ];
    const statuses = await Promise.all(asked.map(async (ask) => (await ask()).status));
    expect(statuses).toEqual([200, 200, 200, 400, 400, 400, 400, 404]);
  });

  expect(acts).toEqual([]);
});

test.each([
  ["begin at once", "now", () => GOOD],
  ["begin at once or later", "mixed", (number: number) => (number % 7 === 6 ? LATER : GOOD)],
])(
  "jobs that arrive together and %s have each the row of their own request",
  async (_, name, payloadOf) => {
    const jobs: Enqueued[] = [];

    const acts = await actsOf(async () => {
      const each = Array.from({ length: 60 }, async (_, number) => {
        const ask = send("POST", `/tasks/together-${number % 3}/`, payloadOf(number));
        jobs[number] = await jsonOf(await ask({ "x-request-id": `${name}-${number}` }));
      });
      await Promise.all(each);
    });

    expect(acts).toHaveLength(60);
    const byRequest = new Map(acts.map((act) => [act.requestId, act]));
    for (const [number, job] of jobs.entries()) {
      expect(byRequest.get(`${name}-${number}`)).toMatchObject({
        action: "enqueue",
        ...about(job),
      });
    }
  },
);

test.each<[string, string[], Record<string, string>, string]>([
  ["the peer", [], {}, "127.0.0.1"],
  ["the peer, whatever it says", [], { "x-real-ip": "9.9.9.9" }, "127.0.0.1"],
  ["not what a stranger says", ["10.0.0.0/8"], { "x-real-ip": "9.9.9.9" }, "127.0.0.1"],
  ["what a trusted proxy says", ["127.0.0.1"], { "x-real-ip": "fd00::9" }, "fd00::9"],
  [
    "the last that trusted proxies have passed on, not what came to them",
    ["127.0.0.1", "10.0.0.0/8"],
    { "x-forwarded-for": "6.6.6.6, 9.9.9.9, 10.0.0.3" },
    "9.9.9.9",
  ],
  [
    "the proxy's where its headers disagree: one was made up, and passed on",
    ["127.0.0.1"],
    { "x-real-ip": "6.6.6.6", "x-forwarded-for": "9.9.9.9" },
    "127.0.0.1",
  ],
  [
    "what both headers say, also behind a second proxy",
    ["127.0.0.1", "10.0.0.0/8"],
    { "x-real-ip": "9.9.9.9", "x-forwarded-for": "9.9.9.9, 10.0.0.3" },
    "9.9.9.9",
  ],
  [
    "not that of a proxy before the last one",
    ["127.0.0.1", "10.0.0.0/8"],
    { "x-real-ip": "10.0.0.3", "x-forwarded-for": "9.9.9.9, 10.0.0.3" },
    "9.9.9.9",
  ],
  ["not what is no address", ["127.0.0.1"], { "x-real-ip": "<script>" }, "127.0.0.1"],
])("the address is %s", async (_, trustedProxies, headers, address) => {
  const { database } = app;
  const config = { dockerHosts, trustedProxies };
  await using open = await startTestApp({ config, roles: API_ONLY, database });

  const [act] = await actsOf(() => send("POST", `${open.url}/tasks/from/`, GOOD)(headers));

  expect(act).toMatchObject({ address, actor: { kind: "anonymous", name: null } });
});

test("pages lose nothing and repeat nothing, however many acts are of one time", async () => {
  await store.sql`
    INSERT INTO fastlane.audit (at, actor_kind, actor_name, action, task_id, job_id)
    SELECT '2020-01-01'::timestamptz + (n / 7) * interval '1 microsecond', 'token',
      CASE n % 2 WHEN 0 THEN 'even' ELSE 'odd' END,
      CASE n % 3 WHEN 0 THEN 'stop' ELSE 'enqueue' END, 'paged-' || n % 5, gen_random_uuid()
    FROM generate_series(1, 1000) AS n`;
  const walk = async (query: string) => {
    const acts: Act[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const behind: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const page = await audit(`until=2020-01-02T00:00:00Z&${query}${behind}`);
      acts.push(...page.items);
      cursor = page.nextCursor;
      await made("meanwhile");
    }
    return acts;
  };

  const all = await walk("limit=97");
  const some = await walk("limit=10&actor=even&action=stop&task=paged-0&since=1577836800");

  expect(new Set(all.map(({ id }) => id)).size).toBe(1_000);
  const newestFirst = all.toSorted((a, b) => b.at.localeCompare(a.at) || b.id - a.id);
  expect(all).toEqual(newestFirst);
  const fit = (act: Act) =>
    act.actor.name === "even" && act.action === "stop" && act.task === "paged-0";
  expect(some.length).toBeGreaterThan(30);
  expect(some).toEqual(all.filter(fit));
});

test("a span of time has its begin in it and not its end", async () => {
  await store.sql`
    INSERT INTO fastlane.audit (at, actor_kind, action, host)
    SELECT '2021-01-01'::timestamptz + n * interval '1 second', 'system', 'drain', 'n' || n
    FROM generate_series(0, 3) AS n`;
  const hosts = async (query: string) => (await audit(query)).items.map(({ host }) => host);

  const byIso = await hosts("since=2021-01-01T00:00:01Z&until=2021-01-01T00:00:03Z");
  const bySeconds = await hosts("since=1609459201&until=1609459203");

  expect(byIso).toEqual(["n2", "n1"]);
  expect(bySeconds).toEqual(byIso);
});

test.each([
  ["since=yesterday", '"since" must be a UNIX timestamp in seconds, or ISO 8601'],
  ["until=-1", '"until" must be a UNIX timestamp in seconds, or ISO 8601'],
  ["actor=", '"actor" must not be empty'],
  ["action=pause", '"action" must be "enqueue", "put", "stop"'],
  ["task=", '"task" must not be empty'],
  ["limit=0", '"limit" must be a whole number from 1 to 1000'],
  ["limit=1001", '"limit" must be a whole number from 1 to 1000'],
  ["cursor=abc", '"cursor" must be the nextCursor of an answer'],
  [
    `cursor=${btoa(`2030-03-29T03:00:00.000000Z ${crypto.randomUUID()}`)}`,
    '"cursor" must be the nextCursor of an answer',
  ],
])("%s is refused in a sentence", async (query, sentence) => {
  const refused = await errorOf(await send("GET", `/audit?${query}`)(), 400);

  expect(refused.error).toStartWith(sentence);
  expect(refused.operation).toBe("audit");
});

test("nothing of a payload that may be secret is in the table", async () => {
  const rows = await store.sql<{ text: string }[]>`SELECT audit::text AS text FROM fastlane.audit`;

  const text = rows.map((row) => row.text).join("\n");
  expect(text).toContain("busybox:latest");
  const encoded = SECRETS.map((secret) => btoa(secret).slice(0, 12));
  for (const secret of [...SECRETS, ...encoded]) expect(text).not.toContain(secret);
});
