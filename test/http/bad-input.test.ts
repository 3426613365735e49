import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import * as fc from "fast-check";
import { openStore, type Store } from "../../src/store/connect.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import { countRows, errorOf, post, rawRequest } from "./request.ts";

const GOOD = { image: "busybox", command: "true" };
const UNPARSABLE = "Failed to enqueue task because JSON body could not be parsed.";
const NO_IMAGE_OR_COMMAND = "image and command must be filled in the request.";

let app: TestApp;
let store: Store;
let rowsBefore: number;
beforeAll(async () => {
  app = await startTestApp({ roles: { api: true, worker: false } });
  store = openStore({ address: app.database.address, max: 1 });
});
afterAll(async () => {
  await store.close();
  await app[Symbol.asyncDispose]();
});
beforeEach(async () => {
  rowsBefore = await countRows(store);
});
afterEach(async () => {
  expect(await countRows(store)).toBe(rowsBefore);
  expect(app.complaints).toEqual([]);
});

test.each([
  ["no body", undefined],
  ["an empty body", ""],
  ["broken JSON", '{"image": "busybox", '],
  ["a list", "[]"],
  ["null", "null"],
  ["a text", '"busybox"'],
  ["form fields", "image=busybox&command=true"],
])("%s cannot be parsed", async (_, body) => {
  const { error, operation } = await errorOf(await post(app, "/tasks/bad/", body), 400);

  expect([error, operation]).toEqual([UNPARSABLE, "enqueueJob"]);
});

test("a body that is not UTF-8 is refused", async () => {
  const bytes = Buffer.from('{"image": "busybox", "command": "echo \xff"}', "latin1");

  const { error } = await errorOf(await post(app, "/tasks/bad/", bytes), 400);

  expect(error).toContain("UTF-8");
});

test.each([
  ["{}"],
  ['{"image": "busybox"}'],
  ['{"command": "true"}'],
  ['{"image": "", "command": "true"}'],
  ['{"image": "busybox", "command": ""}'],
  ['{"image": "busybox", "command": " "}'],
  ['{"image": "busybox", "command": []}'],
])("%s lacks image or command", async (body) => {
  const { error, issues } = await errorOf(await post(app, "/tasks/bad/", body), 400);

  expect(error).toBe(NO_IMAGE_OR_COMMAND);
  expect(issues?.length).toBeGreaterThan(0);
});

test.each<[string, unknown]>([
  ["image", { image: 1 }],
  ["image", { image: "Not An Image" }],
  ["command", { command: 1 }],
  ["command", { command: "echo 'open" }],
  ["command", { command: ["echo", 1] }],
  ["envs", { envs: "A=B" }],
  ["envs", { envs: [] }],
  ["envs.A", { envs: { A: null } }],
  ["envs.A=B", { envs: { "A=B": "x" } }],
  ["envs.A", { envs: { A: "a\u0000b" } }],
  ["envs.A", { envs: { A: "\ud800" } }],
  ["envs", { envs: { constructor: "x" } }],
  ["metadata", { metadata: "text" }],
  ["metadata", { metadata: [] }],
  ["metadata", { metadata: { a: { "k\u0000": [1] } } }],
  ["metadata", { metadata: { a: ["\udc00"] } }],
  ["metadata", { metadata: { "\ud800": 1 } }],
  ["pullPolicy", { pullPolicy: "sometimes" }],
  ["priority", { priority: 101 }],
  ["priority", { priority: 0.5 }],
  ["priority", { priority: "1" }],
  ["unknownKey", { unknownKey: 1 }],
  ["constructor", { constructor: 1 }],
  ["toString", { toString: 1 }],
])("a wrong %s is named, without its value", async (path, keys) => {
  const body = JSON.stringify({ ...GOOD, ...(keys as object) });

  const { issues } = await errorOf(await post(app, "/tasks/bad/", body), 400);

  expect(issues?.map((issue) => issue.path)).toEqual([path]);
  expect(JSON.stringify(issues)).not.toMatch(/sometimes|Not An Image|echo/);
});

test.each([
  ['{"image": "busybox", "command": "true", "__proto__": {}}'],
  ['{"image": "busybox", "command": "true", "envs": {"__proto__": "x"}}'],
  ['{"image": "busybox", "command": "true", "envs": {"A": 1e400}}'],
  [
    `{"image": "busybox", "command": "true", "metadata": {"a": ${"[".repeat(50)}${"]".repeat(50)}}}`,
  ],
  [`${'{"metadata":'.repeat(50_000)}`],
  ["[".repeat(500_000)],
])("%.80s is refused", async (body) => {
  const { issues } = await errorOf(await post(app, "/tasks/bad/", body), 400);

  expect(issues).toHaveLength(1);
});

test("all that is wrong is named at once, and long keys are cut", async () => {
  const body = JSON.stringify({ ...GOOD, one: 1, ["x".repeat(500_000)]: 2, priority: 1_000 });

  const response = await post(app, "/tasks/bad/", body);

  const { issues } = await errorOf(response, 400);
  const paths = issues?.map(({ path }) => path);
  expect(paths).toEqual(["one", `${"x".repeat(100)}...`, "priority"]);
});

test("a body of 2 MB is too large, whether its length is told or not", async () => {
  const body = "x".repeat(2_000_000);
  const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;

  const told = await post(app, "/tasks/bad/", body);
  const untold = await rawRequest(app, "POST /tasks/bad/", ["Transfer-Encoding: chunked"], chunked);

  await errorOf(told, 413);
  expect(untold.status).toBe(413);
  expect(JSON.parse(untold.body).operation).toBe("enqueueJob");
});

test("a body whose length is told too large is not awaited", async () => {
  const { status } = await rawRequest(app, "POST /tasks/bad/", ["Content-Length: 2000000"]);

  expect(status).toBe(413);
});

test.each([
  ["301 characters", "a".repeat(301)],
  ["201 characters", "a".repeat(201)],
  ["an encoded slash", "a%2Fb"],
  ["an encoded NUL", "a%00b"],
  ["an encoded newline", "a%0Ab"],
  ["an encoded DEL", "a%7Fb"],
  ["a C1 control", "a%C2%85b"],
  ["a percent sign alone", "100%"],
  ["wrong encoding", "a%zzb"],
  ["encoding that is not UTF-8", "a%ffb"],
  ["an encoded surrogate", "a%ED%A0%80"],
])("a task id with %s is refused", async (_, id) => {
  for (const method of ["GET", "POST"]) {
    const headers = [`Content-Length: ${JSON.stringify(GOOD).length}`];
    const answer = await rawRequest(app, `${method} /tasks/${id}/`, headers, JSON.stringify(GOOD));

    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body).error).toContain("task id");
  }
});

test.each([["/tasks/../"], ["/tasks/%2e%2e/"], ["/tasks/.%2E/"], ["/tasks/./"], ["/tasks/a/../"]])(
  "a POST to %s meets no task",
  async (path) => {
    const headers = [`Content-Length: ${JSON.stringify(GOOD).length}`];

    const answer = await rawRequest(app, `POST ${path}`, headers, JSON.stringify(GOOD));

    expect(answer.status).toBe(405);
    expect(JSON.parse(answer.body).error).toContain("not allowed");
  },
);

test("a client that goes away in the middle of its body is no bug of ours", async () => {
  const { hostname, port } = new URL(app.url);
  const socket = await Bun.connect({ hostname, port: Number(port), socket: { data() {} } });
  socket.write(
    `POST /tasks/bad/ HTTP/1.1\r\nHost: ${hostname}\r\nContent-Length: 100\r\n\r\n{"image"`,
  );
  socket.flush();
  await fetch(`${app.url}/status/`);
  socket.terminate();

  await fetch(`${app.url}/status/`);
});

test("whatever is wrong with a payload, the answer is a 400 in the contract's form", async () => {
  const anything = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.json(),
    fc.jsonValue().map((value) => JSON.stringify({ ...GOOD, envs: [value] })),
    fc.jsonValue().map((value) => JSON.stringify({ ...GOOD, command: { value } })),
    fc.jsonValue().map((value) => JSON.stringify({ ...GOOD, metadata: [value] })),
    fc
      .tuple(fc.string({ unit: "binary" }), fc.jsonValue())
      .map(([key, value]) => JSON.stringify({ ...GOOD, [`?${key}`]: value })),
    fc.nat(40).map((end) => JSON.stringify(GOOD).slice(0, end % 35)),
  );

  await fc.assert(
    fc.asyncProperty(anything, async (body) => {
      await errorOf(await post(app, "/tasks/bad/", body), 400);
    }),
    { numRuns: 200 },
  );
});
