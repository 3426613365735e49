import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Config } from "../../src/config/schema.ts";
import { openStore } from "../../src/store/connect.ts";
import { insertLogSegments } from "../../src/store/log-chunks.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import type { Enqueued } from "../support/client.ts";
import { errorOf, jsonOf, post, rawRequest } from "./request.ts";

const GOOD = JSON.stringify({ image: "busybox", command: "true" });
const CONSOLE = "https://console.example";
const EVIL = "https://evil.example";
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

let app: TestApp;
let job: Enqueued;
beforeAll(async () => {
  app = await start({});
  for (let i = 0; i < 20; i++) job = await jsonOf(await post(app, `/tasks/task-${i}/`, GOOD));
  const store = openStore({ address: app.database.address, max: 1 });
  const data = new TextEncoder().encode("a line of a log\n".repeat(1_000));
  const frames = [{ stream: "stdout" as const, at: { seconds: 1_700_000_000, nanos: 0 }, data }];
  await store.db.transaction((tx) =>
    insertLogSegments(tx, [{ executionId: job.executionId, seq: 1, frames }]),
  );
  await store.close();
});
afterAll(() => app[Symbol.asyncDispose]());

const start = (config: Partial<Config>) =>
  startTestApp({ config, roles: { api: true, worker: false } });

function preflight(url: string, origin: string): Promise<Response> {
  const headers = {
    origin,
    "access-control-request-method": "POST",
    "access-control-request-headers": "content-type, authorization",
  };
  return fetch(`${url}/tasks/a/`, { method: "OPTIONS", headers });
}

const corsHeaders = ({ headers }: Response) =>
  [...headers.keys()].filter((name) => name.startsWith("access-control-"));

test("by default no page of another origin may read, ask or act", async () => {
  const read = await fetch(`${app.url}/tasks/`, { headers: { origin: CONSOLE } });
  const asked = await preflight(app.url, CONSOLE);
  const acted = await post(app, "/tasks/a/", GOOD, { origin: CONSOLE });

  expect([read, asked, acted].flatMap(corsHeaders)).toEqual([]);
  await errorOf(acted, 403);
});

test("a listed origin may read and act, another may not", async () => {
  await using own = await start({ corsOrigins: [CONSOLE] });

  const read = await fetch(`${own.url}/tasks/`, { headers: { origin: CONSOLE } });
  const acted = await post(own, "/tasks/a/", GOOD, { origin: CONSOLE });
  const wrong = await post(own, "/tasks/a/", "{", { origin: CONSOLE });
  const evilRead = await fetch(`${own.url}/tasks/`, { headers: { origin: EVIL } });
  const evilActed = await post(own, "/tasks/a/", GOOD, { origin: EVIL });

  expect([read.status, acted.status, wrong.status]).toEqual([200, 200, 400]);
  for (const { headers } of [read, acted, wrong]) {
    expect(headers.get("access-control-allow-origin")).toBe(CONSOLE);
    expect(headers.get("vary")).toContain("Origin");
    expect(headers.get("access-control-expose-headers")).toContain("Fastlane-Exit-Code");
    expect(headers.get("access-control-allow-credentials")).toBeNull();
  }
  expect([evilRead, evilActed].flatMap(corsHeaders)).toEqual([]);
  await errorOf(evilActed, 403);
});

test("a listed origin's preflight is answered, another's gets no leave", async () => {
  await using own = await start({ corsOrigins: [CONSOLE] });

  const asked = await preflight(own.url, CONSOLE);
  const evil = await preflight(own.url, EVIL);

  expect(asked.status).toBe(204);
  expect(asked.headers.get("access-control-allow-origin")).toBe(CONSOLE);
  expect(asked.headers.get("access-control-allow-methods")).toContain("POST");
  expect(asked.headers.get("access-control-allow-headers")).toBe("content-type, authorization");
  expect(corsHeaders(evil)).toEqual([]);
});

test("with * every origin may read and act, but not act where a password is asked for", async () => {
  const credentials = { basicAuthUsername: "ann", basicAuthPassword: "pass" };
  await using open = await start({ corsOrigins: ["*"] });
  await using closed = await start({ corsOrigins: ["*"], ...credentials });
  const authorization = `Basic ${btoa("ann:pass")}`;

  const acted = await post(open, "/tasks/a/", GOOD, { origin: EVIL });
  const asked = await preflight(closed.url, EVIL);
  const withPassword = await post(closed, "/tasks/a/", GOOD, { origin: EVIL, authorization });

  expect([acted.status, acted.headers.get("access-control-allow-origin")]).toEqual([200, "*"]);
  expect([asked.status, asked.headers.get("access-control-allow-origin")]).toEqual([204, "*"]);
  await errorOf(withPassword, 403);
});

test("JSON and text are compressed for who takes it, and only then", async () => {
  const urls = [`${app.url}/tasks/?perPage=100`, `${job.executionUrl}stdout/`];

  for (const url of urls) {
    const { pathname, search } = new URL(url);
    const plain = await rawRequest(app, `GET ${pathname}${search}`, ["Accept-Encoding: identity"]);
    const headers = { "accept-encoding": "gzip" };
    const packed = await fetch(url, { headers, decompress: false });

    expect(plain.head).not.toContain("content-encoding");
    expect(packed.headers.get("content-encoding")).toBe("gzip");
    expect(packed.headers.get("vary")?.toLowerCase()).toContain("accept-encoding");
    const bytes = await packed.arrayBuffer();
    expect(bytes.byteLength).toBeLessThan(plain.body.length / 2);
    expect(await (await fetch(url)).text()).toBe(new TextDecoder().decode(Bun.gunzipSync(bytes)));
  }
});

test.each([["abc-123"], ["trace:01/2=x@y.z+_"]])("the request id %s is taken", async (id) => {
  const answer = await fetch(`${app.url}/status/`, { headers: { "x-request-id": id } });

  expect(answer.headers.get("x-request-id")).toBe(id);
});

test.each([[""], ["a b"], ["a".repeat(201)], ["<script>"], ["a;b"]])(
  "the request id %j is not fit, and another is made",
  async (id) => {
    const answer = await fetch(`${app.url}/status/`, { headers: { "x-request-id": id } });

    expect(answer.headers.get("x-request-id")).toMatch(UUID);
  },
);

test("errors have a request id too, each another", async () => {
  const answers = await Promise.all([1, 2].map(() => fetch(`${app.url}/nothing/`)));

  const ids = answers.map(({ headers }) => headers.get("x-request-id") ?? "");
  for (const id of ids) expect(id).toMatch(UUID);
  expect(ids[0]).not.toBe(ids[1]);
});

test.each([["/tasks/"], ["/status/"], ["/tasks/task-1/"], ["/nothing/"]])(
  "HEAD %s answers as GET does, without a body",
  async (path) => {
    const get = await fetch(app.url + path);
    const head = await rawRequest(app, `HEAD ${path}`);

    expect([head.status, head.body]).toEqual([get.status, ""]);
    expect(head.head).toContain(get.headers.get("content-type") ?? "none");
  },
);

test.each([
  ["/tasks/", "GET, HEAD, OPTIONS"],
  ["/tasks/a/", "GET, HEAD, OPTIONS, POST"],
  ["/tasks/a/jobs/b/", "GET, HEAD, OPTIONS, PUT"],
  ["/tasks/a/jobs/b/stop/", "OPTIONS, POST"],
])("OPTIONS %s tells what is allowed, and so does a 405", async (path, allow) => {
  const options = await fetch(app.url + path, { method: "OPTIONS" });
  const patch = await fetch(app.url + path, { method: "PATCH" });

  expect([options.status, options.headers.get("allow")]).toEqual([204, allow]);
  expect(patch.headers.get("allow")).toBe(allow);
  expect((await errorOf(patch, 405)).error).toContain("PATCH is not allowed");
});

test("an answer in JSON says so", async () => {
  const answer = await fetch(`${app.url}/tasks/`);

  expect(answer.headers.get("content-type")).toContain("application/json");
  expect((await jsonOf(answer)).total).toBe(20);
});
