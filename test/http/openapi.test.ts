import { afterAll, beforeAll, expect, test } from "bun:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { createKeyring, newKeyLine } from "../../src/core/keyring.ts";
import { newToken } from "../../src/core/token.ts";
import { createHttpApp } from "../../src/http/app.ts";
import type { HttpDeps } from "../../src/http/context.ts";
import { type OpenApiDocument, openApiDocument } from "../../src/http/openapi/document.ts";
import type { Operation } from "../../src/http/openapi/operation.ts";
import { OPERATIONS } from "../../src/http/openapi/operations.ts";
import { docsPage } from "../../src/http/openapi/page.ts";
import { PARAMETERS } from "../../src/http/openapi/parameters.ts";
import type { Schema } from "../../src/http/openapi/schemas.ts";
import { parseJobPayload } from "../../src/payload/parse.ts";
import { sealEnvs } from "../../src/payload/sealed.ts";
import { openStore } from "../../src/store/connect.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import { type Enqueued, eventually, untilEnded } from "../support/client.ts";
import { testEngine } from "../support/engine.ts";
import { startFaultProxy } from "../support/fault-proxy.ts";
import { jsonOf } from "./request.ts";

const API_ONLY = { api: true, worker: false };
const LOGIN = `Basic ${btoa("ada:lovelace")}`;

let app: TestApp;
/** It asks for a password. */
let locked: TestApp;
/** Its Postgres cannot be reached. */
let cut: TestApp;
/** Its tables are gone: whatever needs them is a bug. */
let broken: TestApp;
let document: OpenApiDocument;
/** The execution of the documented job, and a delivery of it. */
let executionId: string;
let deliveryId: string;
const disposals = new AsyncDisposableStack();

beforeAll(async () => {
  const { host } = await testEngine();
  const hosts = [host, "tcp://10.0.0.7:2375"];
  const dockerHosts = [{ match: "", hosts, maxRunning: 20 }];
  app = disposals.use(await startTestApp({ config: { dockerHosts } }));
  const { database } = app;
  const password = {
    basicAuthUsername: "ada",
    basicAuthPassword: "lovelace",
    trustedProxies: ["127.0.0.1"],
  };
  locked = disposals.use(
    await startTestApp({ database, config: { ...password, dockerHosts }, roles: API_ONLY }),
  );

  const { hostname, port } = new URL(database.url);
  const target = { host: hostname, port: Number(port) };
  const proxy = disposals.use(await startFaultProxy({ target }));
  const config = { databaseUrl: proxy.url(database.url), dockerHosts };
  cut = disposals.use(await startTestApp({ database, config, roles: API_ONLY }));
  await proxy.set("refuse");
  proxy.cut();

  broken = disposals.use(await startTestApp({ config: { dockerHosts }, roles: API_ONLY }));
  const store = openStore({ address: broken.database.address, max: 1 });
  await store.sql`ALTER SCHEMA fastlane RENAME TO gone`;
  await store.close();

  document = await jsonOf(await fetch(`${app.url}/openapi.json`));
  const made = await send(app, operationOf("putJob"));
  const job: Enqueued = await jsonOf(made);
  executionId = job.executionId;
  await untilEnded(job);
  const deliveries = openStore({ address: database.address, max: 1 });
  const [delivery] = await deliveries.sql<{ id: string }[]>`
    INSERT INTO fastlane.deliveries (
      execution_id, event, kind, source, position, target, status, max_tries, due_at
    ) VALUES (${executionId}, 'succeeds', 'webhook', 'job', 0, 'http://127.0.0.1:9/', 'dead', 1, NULL)
    RETURNING id`;
  await deliveries.close();
  deliveryId = delivery?.id ?? "";
});
afterAll(() => disposals.disposeAsync());

interface Sending {
  /** The query and headers of the documented examples, besides those that must be there. */
  optional?: boolean;
  body?: string;
  path?: Record<string, string>;
  query?: Record<string, string>;
  headers?: Record<string, string>;
}

/** Sends a documented example over HTTP, with what a test wants otherwise. */
async function send(to: TestApp, operation: Operation, sending: Sending = {}): Promise<Response> {
  const parameters = operation.parameters.map(parameterOf);
  const given = parameters.filter(({ required }) => required || sending.optional);
  const valuesIn = (place: string) =>
    given.flatMap(({ name, in: where, example }) =>
      // A key belongs to one request, so that of another operation is another.
      where === place
        ? [[name, name === "Idempotency-Key" ? `${example}-${operation.id}` : `${example}`]]
        : [],
    );
  const ids: Record<string, string> = { executionId, deliveryId, ...sending.path };
  // A token can be revoked once, and its name be given once as long as it lives.
  const isMade = operation.id === "createToken" && sending.body === undefined && to === app;
  if (operation.id === "revokeToken") ids["tokenName"] ??= await makeToken(to);
  const path = operation.path.replace(
    /\{(\w+)\}/g,
    (_, name: string) => ids[name] ?? String(parameterOf(name).example),
  );
  const query = new URLSearchParams({ ...Object.fromEntries(valuesIn("query")), ...sending.query });
  const body = isMade ? bodyOfToken() : (sending.body ?? bodiesOf(operation)[0]);
  return await fetch(`${to.url}${path}${query.size === 0 ? "" : `?${query}`}`, {
    method: operation.method.toUpperCase(),
    headers: { ...Object.fromEntries(valuesIn("header")), ...sending.headers },
    ...(body === undefined ? {} : { body }),
  });
}

const bodyOfToken = () =>
  JSON.stringify({
    name: crypto.randomUUID(),
    role: "submitter",
    taskMatch: "^a",
    expiresIn: "90d",
  });

/** @returns Its name, also where none can be made. */
async function makeToken(to: TestApp): Promise<string> {
  const body = bodyOfToken();
  await fetch(`${to.url}/tokens/`, { method: "POST", body });
  return JSON.parse(body).name;
}

const parameterOf = (name: string) => {
  const parameter = document.components.parameters[name];
  if (parameter === undefined) throw new Error(`There is no parameter "${name}"`);
  return parameter;
};

function operationOf(id: string): Operation {
  const operation = OPERATIONS.find((one) => one.id === id);
  if (operation === undefined) throw new Error(`There is no operation "${id}"`);
  return operation;
}

const objectOf = ({ path, method }: Operation) => {
  const object = document.paths[path]?.[method];
  if (object === undefined) throw new Error(`${method} ${path} is not documented`);
  return object;
};

const bodiesOf = (operation: Operation) =>
  Object.values(objectOf(operation).requestBody?.content["application/json"]?.examples ?? {}).map(
    ({ value }) => JSON.stringify(value),
  );

const ajv = addFormats["default"](
  new Ajv2020({ strict: true, strictRequired: false, allErrors: true }).addKeyword("components"),
);
const validators = new Map<string, ValidateFunction>();

/** What of a value its schema does not allow. */
function faults(schema: Schema | undefined, value: unknown): unknown[] {
  const text = JSON.stringify({ ...schema, components: document.components });
  const validate = validators.get(text) ?? ajv.compile(JSON.parse(text));
  validators.set(text, validate);
  return validate(value) ? [] : (validate.errors ?? []);
}

/** Holds an answer against what is documented for its status. */
async function expectAsDocumented(operation: Operation, answer: Response): Promise<unknown> {
  const documented = objectOf(operation).responses[answer.status];
  const type = answer.headers.get("content-type")?.split(";")[0] ?? "";
  const { schema } = documented?.content[type] ?? {};
  const text = await answer.text();
  const body: unknown = type === "application/json" ? JSON.parse(text) : text;
  expect(Object.keys(documented?.content ?? {})).toContain(type);
  expect([body, faults(schema, body)]).toEqual([body, []]);
  for (const [name, { $ref }] of Object.entries(documented?.headers ?? {})) {
    const header = document.components.headers[$ref.split("/").at(-1) ?? ""];
    const value = answer.headers.get(name);
    const isNumber = header?.schema.type === "integer";
    expect([name, faults(header?.schema, isNumber ? Number(value) : value)]).toEqual([name, []]);
  }
  return body;
}

const each = OPERATIONS.map((operation) => [operation.id, operation] as const);
const withBody = each.filter(([, { request }]) => request !== undefined);

test("every route is documented, and every documented operation is a route", () => {
  const { routes } = createHttpApp({ corsOrigins: [] } as unknown as HttpDeps);

  // OpenAPI has no word for WebSockets.
  const own = /^\/(openapi\.json|(docs|page)(\/.*)?)$|\/ws$/;
  const served = routes.flatMap(({ method, path }) =>
    method === "ALL" || own.test(path) ? [] : `${method} ${path}`,
  );
  const documented = OPERATIONS.map(
    ({ method, path }) =>
      `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ":$1").replace(/(?<=.)\/$/, "")}`,
  );
  expect([...new Set(documented)].sort()).toEqual([...new Set(served)].sort());
  expect(new Set(OPERATIONS.map(({ id }) => id)).size).toBe(OPERATIONS.length);
});

test("the document is valid OpenAPI 3.1, with and without a password", async () => {
  const lockedDocument = await jsonOf(
    await fetch(`${locked.url}/openapi.json`, { headers: { authorization: LOGIN } }),
  );

  const checked = await Promise.all(
    [document, lockedDocument].map((one) => new Validator().validate(structuredClone(one))),
  );

  expect(checked).toEqual([{ valid: true }, { valid: true }]);
  expect(document.openapi).toMatch(/^3\.1\./);
  expect(document.info.version).toBe("test");
  expect(document.servers).toEqual([{ url: app.url }]);
  expect(document.security).toBeUndefined();
  expect(lockedDocument.security).toEqual([{ basic: [] }, { bearer: [] }]);
  expect(lockedDocument.paths["/healthcheck/"].get.security).toEqual([]);
});

test.each(each)(
  "the documented examples of %s are answered as documented",
  async (_, operation) => {
    const bodies = bodiesOf(operation);
    const plain = await Promise.all(
      (bodies.length === 0 ? [undefined] : bodies).map((body) =>
        send(app, operation, body === undefined ? {} : { body }),
      ),
    );
    const whole = await send(app, operation, { optional: true });

    for (const answer of [...plain, whole]) {
      await expectAsDocumented(operation, answer);
      expect(answer.status).toBe(operation.answers[0]?.status ?? 0);
    }
  },
);

test("a job with all that a payload can ask for, and its schedule, are as documented", async () => {
  const path = { taskId: "scheduled", jobId: crypto.randomUUID() };
  const payload = {
    ...JSON.parse(bodiesOf(operationOf("enqueueJob"))[1] ?? ""),
    ...JSON.parse(bodiesOf(operationOf("enqueueJob"))[3] ?? ""),
    startIn: null,
    cron: "* * * * * *",
    overlap: "queue",
  };

  await send(app, operationOf("putJob"), { path, body: JSON.stringify(payload) });
  await eventually(
    async () => (await jsonOf(await send(app, operationOf("listTicks"), { path }))).items[0],
    () => "no tick of the schedule is told of",
  );
  const stopped = await send(app, operationOf("stopJob"), { path });

  await expectAsDocumented(operationOf("stopJob"), stopped);
  const ofJob = ["getJob", "listTicks", "getSchedule", "whyJob"].map(operationOf);
  const bodies = await Promise.all(
    ofJob.map(async (operation) =>
      expectAsDocumented(operation, await send(app, operation, { path })),
    ),
  );
  expect(bodies).toMatchObject([
    { job: { metadata: { cron: payload.cron, concurrencyKey: "warehouse" } } },
    { items: expect.arrayContaining([expect.anything()]) },
    { schedule: { cron: payload.cron } },
    {},
  ]);
});

const refused = each.flatMap(([id, operation]) =>
  [400, 401, 403, 404, 409, 413, 416, 429, 500, 503]
    // That a node is about to stop needs one that is: leaving.test.ts has it.
    .filter((status) => status !== 503 || !["healthcheck", "root"].includes(id))
    .map((status) => [id, status, operation] as const),
);

test.each(refused)(
  "%s refuses with %i as documented, or does not document it",
  async (id, status, operation) => {
    const isDocumented = objectOf(operation).responses[status] !== undefined;

    const answer = await provoke(operation, status);

    expect([isDocumented, answer?.status === status]).toEqual([isDocumented, isDocumented]);
    if (answer?.status !== status) return;
    const body = await expectAsDocumented(operation, answer);
    // Who asks is found out before what is asked for; and health has no errors of the other form.
    const isBefore = [401, 403, 429].includes(status) || id === "whoami";
    if (!isHealth(operation)) expect(body).toMatchObject({ operation: isBefore ? "route" : id });
  },
);

const isHealth = ({ id }: Operation) => id === "healthcheck" || id === "root";

/** Makes a request that is to be refused with a status, or cannot be where that is no matter. */
async function provoke(operation: Operation, status: number): Promise<Response | undefined> {
  const takes = (name: string) => operation.parameters.some((parameter) => parameter === name);
  const number = operation.parameters.find((name) => parameterOf(name).schema.type === "integer");
  const bodies = bodiesOf(operation);
  switch (status) {
    case 400:
      if (bodies.length > 0) return await send(app, operation, { body: "{" });
      if (number !== undefined) return await send(app, operation, { query: { [number]: "x" } });
      if (takes("all")) return await send(app, operation, { query: { all: "x" } });
      if (takes("withoutSecrets"))
        return await send(app, operation, { query: { withoutSecrets: "x" } });
      if (takes("dryRun")) return await send(app, operation, { query: { dryRun: "x" } });
      return await send(app, operation, { path: { taskId: "%01" } });
    case 401:
      return await send(locked, operation);
    case 403:
      return await send(app, operation, { headers: { host: "elsewhere.example" } });
    case 404: {
      const last = ["tokenName", "deliveryId", "executionId", "jobId", "taskId"].find(takes);
      return await send(app, operation, {
        path: last === undefined ? {} : { [last]: crypto.randomUUID() },
      });
    }
    case 409:
      if (operation.id === "import") return await importToAnotherTask(operation);
      if (operation.id === "export") return await exportWithoutTheKey(operation);
      return await sendTwoUnderOneKey(operation);
    case 413:
      return bodies.length === 0
        ? undefined
        : await send(app, operation, { body: " ".repeat(1024 * 1024 + 1) });
    case 416: {
      const headers = { range: "bytes=1000000-" };
      if (!takes("Range")) return await send(app, operation, { headers });
      // What other tests have begun has no ranges until it has ended.
      return await eventually(
        async () => [await send(app, operation, { headers })].find((answer) => !answer.ok),
        () => "the range is answered",
      );
    }
    case 429:
      return await sendWrongPasswords(operation);
    case 500:
      return await send(isHealth(operation) ? cut : broken, operation, sendingToken(operation));
    default:
      return await send(cut, operation, sendingToken(operation));
  }
}

/** A job that is there, as one of another task. */
async function importToAnotherTask(operation: Operation): Promise<Response> {
  const document = JSON.parse(bodiesOf(operation)[0] ?? "");
  await send(app, operation, { body: JSON.stringify(document) });
  for (const schedule of document.schedules) schedule.taskId = "another";
  return await send(app, operation, { body: JSON.stringify(document) });
}

/** A schedule that was sealed by a key that nobody has, for a moment. */
async function exportWithoutTheKey(operation: Operation): Promise<Response> {
  const jobId = crypto.randomUUID();
  const lost = sealEnvs({ A: "b" }, jobId, createKeyring(newKeyLine()));
  const payload = { image: "busybox", command: "true", cron: "0 3 * * *", envs: { A: "b" } };
  await send(app, operationOf("putJob"), {
    path: { taskId: "lost", jobId },
    body: JSON.stringify(payload),
  });
  const store = openStore({ address: app.database.address, max: 1 });
  await store.sql`
    UPDATE fastlane.jobs SET request = jsonb_set(request, '{envs}', ${JSON.stringify(lost)}::text::jsonb)
    WHERE id = ${jobId}`;
  const answer = await send(app, operation);
  await store.sql`DELETE FROM fastlane.schedules WHERE job_id = ${jobId}`;
  await store.close();
  return answer;
}

/** Who is somebody's token is found out in the database, and of nobody there is nothing to find out. */
const sendingToken = ({ id }: Operation): Sending =>
  id === "whoami" ? { headers: { authorization: `Bearer ${newToken().token}` } } : {};

async function sendWrongPasswords(operation: Operation): Promise<Response | undefined> {
  const headers = { authorization: `Basic ${btoa("a:b")}`, "x-real-ip": "192.0.2.1" };
  for (let tries = 0; tries < 10; tries += 1) {
    const answer = await send(locked, operation, { headers });
    if (answer.status === 429) return answer;
  }
  return undefined;
}

async function sendTwoUnderOneKey(operation: Operation): Promise<Response | undefined> {
  if (operation.id === "createToken") {
    await send(app, operation, { body: bodiesOf(operation)[0] ?? "" });
    return await send(app, operation, { body: bodiesOf(operation)[0] ?? "" });
  }
  if (!/^(enqueueJobs?|putJob)$/.test(operation.id)) return undefined;
  const [first = ""] = bodiesOf(operation);
  const idempotencyKey = crypto.randomUUID();
  const withCommand = (command: string) => {
    const body = JSON.parse(first);
    const payload = { ...(Array.isArray(body) ? body[0] : body), command, idempotencyKey };
    return JSON.stringify(Array.isArray(body) ? [payload] : payload);
  };
  await send(app, operation, { body: withCommand("true") });
  return await send(app, operation, { body: withCommand("false") });
}

test.each(withBody)("each documented body of %s is as its schema says", (_, operation) => {
  const { schema } = objectOf(operation).requestBody?.content["application/json"] ?? {};

  for (const body of bodiesOf(operation)) {
    expect([body, faults(schema, JSON.parse(body))]).toEqual([body, []]);
  }
});

test.each(each)("each documented answer of %s is as its schema says", (_, operation) => {
  for (const [status, { content }] of Object.entries(objectOf(operation).responses)) {
    for (const { schema, example } of Object.values(content)) {
      expect([status, faults(schema, example)]).toEqual([status, []]);
    }
  }
});

const numbers = Object.entries(PARAMETERS).flatMap(([name, { schema }]) =>
  schema.type === "integer" ? [[name, schema.minimum ?? 0, schema.maximum ?? 0] as const] : [],
);

test.each(numbers)("%s is taken from %i to %i, as documented", async (name, least, most) => {
  const operation = OPERATIONS.find(({ parameters }) => parameters.some((one) => one === name));
  // Frames have numbers in that form alone.
  const form: Record<string, string> = name === "after" ? { format: "ndjson" } : {};
  const statusOf = async (value: number) => {
    const query = { ...form, [name]: String(value) };
    return (await send(app, operation ?? operationOf(""), { query })).status;
  };

  const statuses = await Promise.all([least - 1, least, most, most + 1].map(statusOf));

  expect(statuses).toEqual([400, 200, 200, 400]);
});

test.each(Object.entries(PARAMETERS))("the example of %s is as its schema says", (_, parameter) => {
  expect(faults(parameter.schema, parameter.example)).toEqual([]);
});

test.each([
  [true, {}],
  [true, { command: ["a b", ""] }],
  [false, { command: [] }],
  [false, { command: 5 }],
  [false, { image: "" }],
  [false, { imag: "busybox" }],
  [true, { envs: { A: "a", B: 1, C: true } }],
  [false, { envs: { A: null } }],
  [false, { envs: { "A=B": "a" } }],
  [false, { envs: ["A=B"] }],
  [true, { metadata: { a: [1, { b: null }] } }],
  [false, { metadata: [] }],
  [true, { startIn: "2h30m50s" }],
  [true, { startIn: "10s", cron: null }],
  [false, { startIn: "5 days" }],
  [false, { startIn: "" }],
  [true, { startAt: 1_900_000_000.5 }],
  [true, { startAt: "1900000000" }],
  [true, { expiration: "2030-03-29T03:00:00+02:00" }],
  [false, { startAt: "tomorrow" }],
  [false, { startAt: -1 }],
  [false, { expiration: true }],
  [true, { cron: "0 3 * * *", timezone: "Europe/Berlin", overlap: "skip", catchUp: "all" }],
  [false, { timezone: "UTC" }],
  [false, { cron: "0 3 * * *", overlap: "never" }],
  [true, { concurrencyKey: "k", concurrencyLimit: 2 }],
  [false, { concurrencyLimit: 2 }],
  [true, { backoff: { minMs: 1, factor: 1.5, maxMs: 10, jitter: false } }],
  [false, { backoff: { min: 1 } }],
  [false, { retries: 101 }],
  [false, { retryOn: [0] }],
  [false, { priority: 1.5 }],
  [true, { resources: { cpus: 0.5, memory: "512M", pids: 10 } }],
  [false, { resources: { memory: "512 MB" } }],
  [true, { additionalDNSEntries: { "db.internal": "10.0.0.7", six: "::1" } }],
  [false, { additionalDNSEntries: { db: "elsewhere" } }],
  [true, { notify: { fails: ["ops@example.com"] } }],
  [false, { notify: { fails: ["nobody"] } }],
  [true, { webhooks: { starts: [{ url: "https://example.com/", headers: { "X-A": "b" } }] } }],
  [false, { webhooks: { starts: [{ url: "https://example.com/", headers: { "a b": "c" } }] } }],
  [false, { webhooks: { starts: [{ method: "POST" }] } }],
])("the schema of a payload and the service agree (%p): %j", (isGood, keys) => {
  const payload = { image: "busybox", command: "true", ...keys };
  const isTaken = () => {
    try {
      return parseJobPayload(JSON.stringify(payload)) !== undefined;
    } catch {
      return false;
    }
  };

  const isDocumented = faults(document.components.schemas.JobPayload, payload).length === 0;

  expect([isTaken(), isDocumented]).toEqual([isGood, isGood]);
});

test.each([["JobPayload"], ["FilterBody"], ["Webhook"]] as const)(
  "every key of %s has a meaning and a type",
  (name) => {
    const keys = Object.entries(document.components.schemas[name].properties ?? {});

    const untold = keys.filter(
      ([, key]) => typeof key === "boolean" || !key.description || !(key.type ?? key.anyOf),
    );
    expect(keys.length).toBeGreaterThan(0);
    expect(untold).toEqual([]);
  },
);

test("the page tells of every operation and schema, and each of its links leads somewhere", async () => {
  const page = await (await fetch(`${app.url}/docs`)).text();

  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  const links = [...page.matchAll(/ href="#([^"]+)"/g)].map(([, id]) => id);
  expect(ids).toEqual(expect.arrayContaining(OPERATIONS.map(({ id }) => id)));
  expect(ids).toEqual(
    expect.arrayContaining(
      Object.keys(document.components.schemas).map((name) => `schema-${name}`),
    ),
  );
  expect(new Set(ids).size).toBe(ids.length);
  expect(links.filter((id) => !ids.includes(id))).toEqual([]);
  expect(page).toContain(`curl ${app.url}/tasks/`);
});

test("the page runs no script, and takes nothing from elsewhere", async () => {
  const answer = await fetch(`${app.url}/docs/`);
  const page = await answer.text();
  const style = await fetch(`${app.url}/docs/style.css`);

  expect(answer.headers.get("content-type")).toBe("text/html; charset=UTF-8");
  expect(answer.headers.get("content-security-policy")).toBe(
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
  expect(page).not.toMatch(/<script|<style|<iframe|<img|<[^>]* (on\w+|style|src)=/i);
  expect([...page.matchAll(/ href="([^#"][^"]*)"/g)].map(([, href]) => href)).toEqual([
    "/docs/style.css",
    "/openapi.json",
    "/status/",
  ]);
  expect([style.status, style.headers.get("content-type")]).toEqual([
    200,
    "text/css; charset=utf-8",
  ]);
  expect(await style.text()).not.toMatch(/url\(|@import/);
});

test("the page escapes whatever it shows", async () => {
  const markup = `"'><script>alert(1)</script>`;
  const options = { version: markup, baseUrl: `http://localhost/${markup}` };

  const page = String(
    await docsPage(openApiDocument({ ...options, asksForPassword: true }), `/${markup}`),
  );

  expect(page).not.toContain("<script");
  expect(page).toContain("&lt;script&gt;");
  expect(page).toContain("-u NAME:PASSWORD");
});
