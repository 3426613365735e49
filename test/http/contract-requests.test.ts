import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestApp, type TestApp } from "../support/app.ts";
import { type Enqueued, enqueue } from "../support/client.ts";
import { getJob, getJson, stringsAt } from "./answers.ts";
import { errorOf, jsonOf, post, rawRequest } from "./request.ts";

const GOOD = { image: "busybox", command: "true" };
const NONE = "5a023792-1445-44e9-8a8b-cfe5ad05d1c6";
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

let app: TestApp;
let job: Enqueued;
beforeAll(async () => {
  app = await startTestApp({ roles: { api: true, worker: false } });
  job = await enqueue(app.url, "first", { command: "true" });
});
afterAll(() => app[Symbol.asyncDispose]());

const ofJob = (path: string) => path.replace("JOB", `/tasks/first/jobs/${job.jobId}`);
const ofExecution = (path: string) => path.replace("EXEC", `executions/${job.executionId}`);

test.each([
  ["GET", "/healthcheck"],
  ["GET", "/status"],
  ["GET", "/tasks"],
  ["GET", "/search?query=first"],
  ["GET", "/tasks/first"],
  ["POST", "/tasks/first"],
  ["POST", "/tasks/first/bulk"],
  ["GET", "JOB"],
  ["PUT", `/tasks/first/jobs/${NONE}`],
  ...["logs", "stdout", "stderr", "why", "ticks", "schedule"].map((verb) => ["GET", `JOB/${verb}`]),
  ["GET", "JOB/EXEC"],
  ...["logs", "stdout", "stderr", "why"].map((verb) => ["GET", `JOB/EXEC/${verb}`]),
  ["POST", "JOB/EXEC/stop"],
  ["POST", "JOB/stop"],
  ["POST", "JOB/retry"],
  ["GET", "/executions"],
  ["POST", "/executions/stop"],
  ["POST", "/executions/retry"],
])("paths: %s %s is one with and without a slash at its end", async (method = "", path = "") => {
  const [route = "", query] = ofExecution(ofJob(path)).split("?");
  const bodies: [RegExp, unknown][] = [
    [/\/bulk$/, [GOOD]],
    [/^\/executions/, { task: "none" }],
    [/./, GOOD],
  ];
  const body = JSON.stringify(bodies.find(([fits]) => fits.test(route))?.[1]);
  const init = method === "GET" ? { method } : { method, body };
  const search = query === undefined ? "" : `?${query}`;

  const without = await fetch(app.url + route + search, init);
  const withSlash = await fetch(`${app.url}${route}/${search}`, init);

  expect([without.status, withSlash.status]).toEqual([200, 200]);
});

test("absolute URLs: all of them begin with publicUrl where that is configured", async () => {
  const publicUrl = "https://jobs.example/lane";
  const roles = { api: true, worker: false };
  await using own = await startTestApp({ config: { publicUrl, paginationPerPage: 1 }, roles });
  const task = await jsonOf(await post(own, "/tasks/a/", JSON.stringify(GOOD)));
  await post(own, "/tasks/b/", JSON.stringify({ ...GOOD, startIn: "1h" }));
  const jobPath = `/tasks/a/jobs/${task.jobId}`;
  const paths = ["/tasks/", "/search/?query=a", "/tasks/a/", jobPath, "/executions/", "/status/"];
  paths.push(`${jobPath}/executions/${task.executionId}/`);

  const answers = await Promise.all(paths.map((path) => getJson(own.url + path)));

  const urls = stringsAt(/url$/i, [task, ...answers]);
  expect(urls.length).toBeGreaterThan(12);
  expect(urls.filter((url) => !url.startsWith(`${publicUrl}/`))).toEqual([]);
});

test("absolute URLs: without it they lead back to what the client asked", async () => {
  const { jobUrl, taskUrl, executionUrl } = job;

  const answers = await Promise.all([jobUrl, taskUrl, executionUrl].map((url) => fetch(url)));

  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  for (const url of [jobUrl, taskUrl, executionUrl]) expect(url).toStartWith(app.url);
});

test("absolute URLs: a proxy's headers count from a trusted one alone", async () => {
  const roles = { api: true, worker: false };
  const headers = { "x-forwarded-proto": "https", "x-forwarded-host": "jobs.example" };
  await using trusting = await startTestApp({ config: { trustedProxies: ["127.0.0.1"] }, roles });

  const trusted = await post(trusting, "/tasks/a/", JSON.stringify(GOOD), headers);
  const untrusted = await post(app, "/tasks/a/", JSON.stringify(GOOD), headers);

  expect((await jsonOf(trusted)).taskUrl).toBe("https://jobs.example/tasks/a");
  expect((await jsonOf(untrusted)).taskUrl).toBe(`${app.url}/tasks/a`);
});

test("times: every one in an answer is ISO 8601 in UTC, with milliseconds", async () => {
  await enqueue(app.url, "timed", { command: "true", startIn: "1h" });
  const urls = [job.jobUrl, job.executionUrl, job.taskUrl, `${app.url}/tasks`];
  urls.push(`${app.url}/status`, `${app.url}/executions`);

  const answers = await Promise.all(urls.map(getJson));

  const times = stringsAt(/At$/, answers);
  expect(times.length).toBeGreaterThan(8);
  expect(times.filter((time) => !ISO.test(time))).toEqual([]);
});

test.each([
  [4_102_444_800],
  ["4102444800"],
  ["2100-01-01T00:00:00Z"],
  ["2100-01-01T00:00:00.000Z"],
  ["2100-01-01T02:00:00+02:00"],
  ["2100-01-01T00:00"],
])("times: %p in a payload is the first second of 2100", async (moment) => {
  const made = await enqueue(app.url, "timed", { command: "true", startAt: moment });

  expect((await getJob(made)).nextScheduledAt).toBe("2100-01-01T00:00:00.000Z");
});

test.each([["é ß?#&+"], ["日本語"], ["a".repeat(200)], ["%41"], ["."]])(
  "task ids: %s comes back as it was sent, and is found again",
  async (id) => {
    const sent = id === "." ? "a." : id;

    const made = await enqueue(app.url, encodeURIComponent(sent), { command: "true" });

    expect(made.taskId).toBe(sent);
    expect((await getJson(made.taskUrl)).taskId).toBe(sent);
  },
);

test.each([
  ["GET", "/tasks/a%00b"],
  ["POST", "/tasks/a%0Ab"],
  ["POST", "/tasks/a%2Fb/bulk"],
  ["PUT", `/tasks/a%7Fb/jobs/${NONE}`],
  ["GET", `/tasks/a%C2%80b/jobs/${NONE}`],
  ["POST", `/tasks/${"a".repeat(201)}`],
  ["POST", "/tasks/a%ffb"],
  ["GET", `/tasks/a%zz/jobs/${NONE}/executions/${NONE}/logs`],
])("task ids: %s %s is a 400", async (method, path) => {
  const body = JSON.stringify(GOOD);

  const answer = await rawRequest(
    app,
    `${method} ${path}`,
    [`Content-Length: ${body.length}`],
    body,
  );

  expect(answer.status).toBe(400);
  expect(JSON.parse(answer.body).error).toMatch(/task id/);
});

test.each([["x"], ["1"], [`${NONE}0`], [NONE.replaceAll("-", "")], [`{${NONE}}`]])(
  "job and execution ids: PUT with %s is a 400, GET a 404",
  async (id) => {
    const body = JSON.stringify(GOOD);
    const paths = ["", "/logs", `/executions/${NONE}`].map(
      (end) => `/tasks/first/jobs/${id}${end}`,
    );

    const put = await fetch(`${app.url}/tasks/first/jobs/${id}`, { method: "PUT", body });
    const gets = [...paths, `${ofJob("JOB")}/executions/${id}/`].map((path) =>
      fetch(app.url + path),
    );

    expect((await errorOf(put, 400)).error).toContain("UUID");
    for (const get of await Promise.all(gets)) await errorOf(get, 404);
  },
);

test("job and execution ids: one of another task or job is a 404", async () => {
  const other = await enqueue(app.url, "other", { command: "true" });
  const { jobId, executionId } = job;

  const paths = [
    `/tasks/other/jobs/${jobId}/`,
    `/tasks/other/jobs/${jobId}/executions/${executionId}/`,
    `/tasks/other/jobs/${other.jobId}/executions/${executionId}/`,
  ];

  for (const path of paths) await errorOf(await fetch(app.url + path), 404);
});

test.each([
  ["page=0"],
  ["page=-1"],
  ["page=1.5"],
  ["page=1e2"],
  ["page=%201"],
  ["page=x"],
  ["page="],
  ["perPage=0"],
  ["perPage=101"],
])("page: ?%s is a 400 that names the key, on every list", async (query) => {
  const lists = ["/tasks/?", "/tasks/first/?", "/search/?query=a&", `${ofJob("JOB")}/ticks/?`];

  for (const list of lists) {
    const { error } = await errorOf(await fetch(`${app.url}${list}${query}`), 400);
    expect(error).toContain(`"${query.split("=")[0]}" must be a whole number from 1 to`);
  }
});

test("page: perPage is 10, or what is configured, and 100 at most", async () => {
  const { database } = app;
  const roles = { api: true, worker: false };
  await using own = await startTestApp({ config: { paginationPerPage: 2 }, roles, database });

  expect((await getJson(`${app.url}/tasks/`)).perPage).toBe(10);
  expect((await getJson(`${own.url}/tasks/`)).perPage).toBe(2);
  expect((await getJson(`${own.url}/tasks/?perPage=100`)).perPage).toBe(100);
});

test("GET /tasks/T/: jobs come newest first, 100 a page, with the paging keys", async () => {
  const payloads = JSON.stringify(Array.from({ length: 101 }, () => GOOD));
  const made: Enqueued[] = await jsonOf(await post(app, "/tasks/many/bulk/", payloads));

  const first = await getJson(`${app.url}/tasks/many/`);
  const second = await getJson(first.nextUrl);

  const { jobs, ...paging } = first;
  expect(paging).toEqual({
    taskId: "many",
    hasNext: true,
    hasPrev: false,
    nextUrl: `${app.url}/tasks/many/?page=2&perPage=100`,
    page: 1,
    pages: 2,
    perPage: 100,
    prevUrl: null,
    total: 101,
  });
  const newestFirst = made.map(({ jobId, jobUrl }) => ({ id: jobId, url: jobUrl })).reverse();
  const shown = [...jobs, ...second.jobs];
  expect(shown.map(({ id, url }) => ({ id, url }))).toEqual(newestFirst);
  expect(Object.keys(jobs[0]).sort()).toEqual(["createdAt", "id", "url"]);
  expect([second.hasNext, second.hasPrev, second.nextUrl]).toEqual([false, true, null]);
});
