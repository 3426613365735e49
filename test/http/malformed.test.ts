import { afterAll, beforeAll, expect, test } from "bun:test";
import * as fc from "fast-check";
import { openStore, type Store } from "../../src/store/connect.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import { countRows, errorOf, post } from "./request.ts";

const GOOD = { image: "busybox", command: "true" };
const MANY = { numRuns: 1_000 };

let app: TestApp;
let store: Store;
beforeAll(async () => {
  app = await startTestApp({ roles: { api: true, worker: false } });
  store = openStore({ address: app.database.address, max: 1 });
});
afterAll(async () => {
  await store.close();
  await app[Symbol.asyncDispose]();
});

const tooLong = fc.integer({ min: 100_001, max: 300_000 }).map((length) => "ä".repeat(length));
const unstorable = fc
  .tuple(fc.string({ unit: "binary" }), fc.constantFrom("\u0000", "\ud800", "\udfff"))
  .map(([text, bad]) => `${text}${bad} `);
const notText = fc.oneof(fc.double(), fc.boolean(), fc.array(fc.jsonValue()), fc.object());
const badText = fc.oneof(notText, unstorable, tooLong, fc.constant(""));
const noObject = fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.array(fc.jsonValue()));
const noNumber = fc.oneof(fc.string(), fc.boolean(), fc.array(fc.jsonValue()), fc.object());
const noWhole = (min: number, max: number) =>
  fc.oneof(
    noNumber,
    fc.double({ noNaN: true }).filter((value) => !Number.isInteger(value)),
    fc.integer({ min: max + 1 }),
    fc.integer({ max: min - 1 }),
  );
const noList = fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.object());
const unknownKey = fc
  .tuple(fc.string({ unit: "grapheme" }), fc.jsonValue())
  .map(([key, value]) => ({ [`? ${key}`]: value }));
const badObject = (...wrong: fc.Arbitrary<unknown>[]) => fc.oneof(noObject, unknownKey, ...wrong);

const badWebhook = fc.oneof(
  noObject,
  fc.constant({}),
  fc.record({ url: fc.oneof(badText, fc.constantFrom("ftp://a", "http://u:p@a", "//a")) }),
  fc.record({ url: fc.constant("http://a"), retries: noWhole(0, 100) }),
  fc.record({
    url: fc.constant("http://a"),
    headers: fc.constantFrom({ Host: "a" }, { "a b": "c" }, { A: "b\r\nC: d" }, [], { A: 1 }),
  }),
);
const perEvent = (bad: fc.Arbitrary<unknown>) =>
  badObject(
    fc.record({ fails: noList }),
    fc.record({ succeeds: fc.array(bad, { minLength: 1, maxLength: 3 }) }),
    fc.record({ finishes: fc.array(bad, { minLength: 51, maxLength: 60 }) }),
  );

/** For each key of the payload what it can never be. */
const WRONG: Record<string, fc.Arbitrary<unknown>> = {
  image: fc.oneof(badText, fc.constantFrom("A B", "a//b", "a:b:c")),
  command: fc.oneof(
    fc.double(),
    fc.boolean(),
    fc.object(),
    fc.constantFrom("", " ", "'", "a\\", []),
    fc.array(notText, { minLength: 1 }),
  ),
  envs: fc.oneof(
    noObject,
    fc.record({ "A=B": fc.string() }),
    fc.record({ A: fc.oneof(unstorable, tooLong, fc.object(), fc.array(fc.string())) }),
  ),
  metadata: fc.oneof(noObject, fc.record({ a: fc.array(unstorable, { minLength: 1 }) })),
  startIn: fc.oneof(badText, fc.constantFrom("1d", "-1s", "1s1h", "99999999h", "5")),
  startAt: fc.oneof(fc.boolean(), fc.object(), fc.constantFrom("soon", "2026-02-30", -1, 1e300)),
  cron: fc.oneof(badText, fc.constantFrom("* * * *", "61 * * * *", "@reboot", "0 0 31 2 *")),
  notify: perEvent(fc.oneof(badText, fc.constantFrom("a", "a@", "a@b\nBcc: c@d", "a@b,c@d"))),
  webhooks: perEvent(badWebhook),
  retries: noWhole(0, 100),
  backoff: badObject(
    fc.record({ minMs: noWhole(1, 86_400_000) }),
    fc.record({ factor: fc.oneof(noNumber, fc.constantFrom(0, 101)) }),
    fc.record({ jitter: fc.oneof(fc.string(), fc.double()) }),
  ),
  retryOn: fc.oneof(noList, fc.array(noWhole(1, 255), { minLength: 1 })),
  expiration: fc.oneof(fc.boolean(), fc.object(), unstorable, fc.constant("tomorrow")),
  timeout: noWhole(1, 1_000_000_000),
  priority: noWhole(-100, 100),
  concurrencyKey: badText,
  concurrencyLimit: fc.anything().filter((value) => value !== undefined && value !== null),
  idempotencyKey: fc.oneof(badText, fc.constant("k".repeat(201))),
  onHostLost: fc.oneof(notText, fc.string()),
  pullPolicy: fc.oneof(notText, fc.string()),
  registryAuth: fc.oneof(badText, fc.string({ minLength: 1 })),
  resources: badObject(
    fc.record({ cpus: fc.oneof(noNumber, fc.constantFrom(0, -1, 1e9)) }),
    fc.record({ memory: fc.oneof(badText, fc.constantFrom("5m", "1x", "-1g", "1.5g")) }),
    fc.record({ pids: noWhole(1, 4_194_304) }),
  ),
  network: fc.oneof(badText, fc.constantFrom("host", "container:a", "bridge")),
  user: fc.oneof(badText, fc.constantFrom("root", "0")),
  workdir: fc.oneof(badText, fc.constantFrom("relative", "/anywhere")),
  additionalDNSEntries: fc.oneof(noObject, fc.constantFrom({ a: "b" }, { a: "10.0.0.1" })),
  timezone: fc.oneof(badText, fc.constantFrom("Nowhere/At_All", "Europe/Berlin")),
  overlap: fc.oneof(notText, fc.string()),
  catchUp: fc.oneof(notText, fc.string()),
};

const onePart = fc
  .constantFrom(...Object.keys(WRONG))
  .chain((key) => (WRONG[key] ?? fc.constant(null)).map((value) => ({ ...GOOD, [key]: value })));

const malformed = fc.oneof(
  { weight: 8, arbitrary: onePart.map((payload) => JSON.stringify(payload)) },
  { weight: 1, arbitrary: unknownKey.map((extra) => JSON.stringify({ ...GOOD, ...extra })) },
  { weight: 1, arbitrary: fc.string({ unit: "binary" }) },
  { weight: 1, arbitrary: fc.json({ maxDepth: 6 }) },
  { weight: 1, arbitrary: fc.nat(39).map((end) => JSON.stringify(GOOD).slice(0, end)) },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 32, max: 50_000 })
      .map((depth) => `{"metadata":${'{"a":['.repeat(depth)}${"]}".repeat(depth)}}`),
  },
);

/** What JSON leaves out, such as a key whose value is no JSON, is not wrong any more. */
const isGood = (body: string) => /^\{"image":"busybox","command":"true"\}$/.test(body);

test("1,000 malformed payloads, of every key, depth and size, are each a 4xx, and leave no row", async () => {
  const rowsBefore = await countRows(store);

  await fc.assert(
    fc.asyncProperty(malformed, async (body) => {
      if (isGood(body)) return;
      const response = await post(app, "/tasks/bad/", body);
      const { status } = response;
      expect([400, 403, 413], body.slice(0, 300)).toContain(status);
      await errorOf(response, status);
    }),
    MANY,
  );

  expect(await countRows(store)).toBe(rowsBefore);
  expect(app.complaints).toEqual([]);
});

test("1,000 malformed bulk requests and filters are each a 4xx, and leave no row", async () => {
  const rowsBefore = await countRows(store);
  const bulk = fc
    .tuple(fc.nat(3), onePart)
    .map(([before, wrong]) => JSON.stringify([...Array(before).fill(GOOD), wrong, GOOD]));
  const filter = fc.oneof(
    fc.constantFrom("{}", "[]", '{"dryRun":true}', '{"status":"lost"}', '{"since":"soon"}'),
    noObject.map((value) => JSON.stringify(value)),
    unknownKey.map((value) => JSON.stringify({ task: "a", ...value })),
  );
  const asked = fc.oneof(
    bulk.map((body) => ["/tasks/bad/bulk/", body] as const),
    filter.map((body) => ["/executions/stop/", body] as const),
    filter.map((body) => ["/executions/retry/", body] as const),
  );

  await fc.assert(
    fc.asyncProperty(asked, async ([path, body]) => {
      const isAllGood =
        path.endsWith("bulk/") && JSON.parse(body).every((p: object) => isGood(JSON.stringify(p)));
      if (isAllGood) return;
      const response = await post(app, path, body);
      const { status } = response;
      expect([400, 403, 413], `${path} ${body.slice(0, 300)}`).toContain(status);
      await errorOf(response, status);
    }),
    MANY,
  );

  expect(await countRows(store)).toBe(rowsBefore);
  expect(app.complaints).toEqual([]);
});
