import { afterAll, beforeAll, expect, test } from "bun:test";
import { openStore } from "../../src/store/connect.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import { enqueue } from "../support/client.ts";
import { getJson } from "./answers.ts";
import { errorOf } from "./request.ts";

const TASKS = [
  "hello-world",
  "hello_there",
  "build.release.42",
  "GrüßGott-Straße",
  "日本語 タスク",
  "a1b2",
  "100%",
];

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ roles: { api: true, worker: false } });
  for (const task of TASKS) await enqueue(app.url, encodeURIComponent(task), { command: "true" });
});
afterAll(() => app[Symbol.asyncDispose]());

const search = (query: string) => getJson(`${app.url}/search/?query=${encodeURIComponent(query)}`);

test.each([
  ["hello", ["hello-world", "hello_there"]],
  ["world", ["hello-world"]],
  ["WORLD", ["hello-world"]],
  ["hello world", ["hello-world"]],
  ["world, hello!", ["hello-world"]],
  ["hello-world", ["hello-world"]],
  ["there", ["hello_there"]],
  ["hello_there", ["hello_there"]],
  ["release", ["build.release.42"]],
  ["42", ["build.release.42"]],
  ["build.release.42", ["build.release.42"]],
  ["grüßgott", ["GrüßGott-Straße"]],
  ["gru\u0308ßgott", ["GrüßGott-Straße"]],
  ["日本語", ["日本語 タスク"]],
  ["タスク", ["日本語 タスク"]],
  ["100", ["100%"]],
  ["a1b2", ["a1b2"]],
  ["hel", []],
  ["orld", []],
  ["hello nothing", []],
  ["4", []],
  ["日本", []],
  ["a1", []],
  ["nothing", []],
])("%s finds by whole words: %j", async (query, tasks) => {
  const { items, total } = await search(query);

  expect(items.map(({ taskId }: { taskId: string }) => taskId)).toEqual(tasks);
  expect(total).toBe(tasks.length);
});

test("what is found is shown as in the list of tasks, paged with the query in the links", async () => {
  const query = "query=hello&perPage=1";

  const first = await getJson(`${app.url}/search?${query}`);
  const second = await getJson(first.nextUrl);

  const shown = await getJson(`${app.url}/tasks/`);
  expect([...first.items, ...second.items]).toEqual(shown.items.slice(0, 2));
  const { items: _, ...paging } = first;
  expect(paging).toEqual({
    hasNext: true,
    hasPrev: false,
    nextUrl: `${app.url}/search/?query=hello&page=2&perPage=1`,
    page: 1,
    pages: 2,
    perPage: 1,
    prevUrl: null,
    total: 2,
  });
  expect(second).toMatchObject({ hasNext: false, hasPrev: true, page: 2 });
});

test("a query with characters of a URL comes back in the links", async () => {
  const first = await getJson(
    `${app.url}/search?query=${encodeURIComponent("hello&+#")}&perPage=1`,
  );

  expect((await getJson(first.nextUrl)).items).toHaveLength(1);
});

test.each([
  ["no query", ""],
  ["an empty one", "?query="],
  ["one without a letter or digit", "?query=%20-_%20"],
  ["one of 501 characters", `?query=${"a".repeat(501)}`],
])("%s is a 400", async (_, query) => {
  const { error } = await errorOf(await fetch(`${app.url}/search/${query}`), 400);

  expect(error).toStartWith('"query" must have at least one word');
});

test("the search is served by an index", async () => {
  const { sql, close } = openStore({ address: app.database.address, max: 1 });

  const plan = await sql.begin(async (tx) => {
    await tx`SET LOCAL enable_seqscan = off`;
    return await tx`EXPLAIN SELECT id FROM fastlane.tasks WHERE words @> ARRAY['hello']`;
  });
  await close();

  expect(JSON.stringify(plan)).toContain("tasks_by_word");
});
