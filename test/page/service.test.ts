import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Browser } from "playwright-core";
import { startTestApp, type TestApp } from "../support/app.ts";
import { type Enqueued, enqueue, untilEnded, untilExecution } from "../support/client.ts";
import { testEngine } from "../support/engine.ts";
import { freePort } from "../support/free-port.ts";
import {
  copyAll,
  shownLines,
  startBrowser,
  untilSays,
  untilWhole,
  visit,
} from "../support/page/browser.ts";
import { framesOf, startScriptedLog } from "../support/page/scripted-log.ts";
import { startFastlane } from "../support/process.ts";
import { migratedDatabase } from "../support/store.ts";

let app: TestApp;
let browser: Browser;
beforeAll(async () => {
  [app, browser] = await Promise.all([startTestApp(), startBrowser()]);
});
afterAll(async () => {
  await browser.close();
  await app[Symbol.asyncDispose]();
});

const run = (script: string, task = "nightly") =>
  enqueue(app.url, task, { command: ["sh", "-c", script] });
const stdoutOf = async ({ executionUrl }: Enqueued) =>
  await (await fetch(`${executionUrl}stdout/`)).text();

test("a page tells what was run, how it ended, and what was written to which stream", async () => {
  const job = await run(
    "echo plain; printf '\\033[1;31mred\\033[0m\\n'; sleep 1; echo err >&2; exit 3",
  );

  await using visited = await visit(browser, `${job.executionUrl}stream/`);
  const { page, faults } = visited;
  await untilWhole(page);

  expect(await page.title()).toBe("nightly - failed - fastlane");
  expect(await page.locator("h1").textContent()).toBe("nightly");
  await untilSays(page, "#status", "failed");
  await untilSays(page, "#exit-code", "3");
  await untilSays(page, "#duration", /^\d+(\.\d)? s$/);
  await untilSays(page, "#reason", /exit code 3/);
  expect(await shownLines(page)).toEqual(["plain", "red", "err"]);
  expect(await page.locator(".row.stderr .text").allTextContents()).toEqual(["err"]);
  const red = page.locator(".row .bold");
  expect(await red.evaluate((span) => getComputedStyle(span).color)).toBe("rgb(168, 50, 42)");
  const links = await page
    .locator("#downloads a")
    .evaluateAll((all) => all.map((a) => a.getAttribute("href")));
  const path = new URL(job.executionUrl).pathname;
  expect(links).toEqual(
    ["logs", "stdout", "stderr"].map((kind) => `${path}${kind}/?download=true`),
  );
  expect(await page.locator("#stop").isVisible()).toBe(false);
  expect(faults).toEqual([]);
});

test("a page is found under each of its URLs, and may do nothing but what it is for", async () => {
  const job = await run("true");
  const otherSpelling = `${job.jobUrl}/stream/executions/${job.executionId}`;
  const urls = [`${job.jobUrl}/stream`, `${job.executionUrl}stream`, otherSpelling];

  for (const url of urls.flatMap((one) => [one, `${one}/`])) {
    const answer = await fetch(url);
    expect([url, answer.status]).toEqual([url, 200]);
    expect(answer.headers.get("content-type")).toBe("text/html; charset=UTF-8");
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    expect(answer.headers.get("content-security-policy")).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
        "require-trusted-types-for 'script'; trusted-types 'none'",
    );
    expect(await answer.text()).not.toMatch(/<script>|<style|<[^>]* (on\w+|style)=/i);
  }
});

test.each(["jobs/JOB/stream/", "jobs/JOB/executions/ID/stream/", "jobs/JOB/stream/executions/ID/"])(
  "nothing but an error is at %s of what is not there",
  async (path) => {
    const unknown = path.replace("JOB", crypto.randomUUID()).replace("ID", crypto.randomUUID());

    const answer = await fetch(`${app.url}/tasks/nightly/${unknown}`);

    expect([answer.status, answer.headers.get("content-type")]).toEqual([404, "application/json"]);
  },
);

test("script and style are kept by browsers until they are others", async () => {
  const job = await run("true");
  const page = await (await fetch(`${job.executionUrl}stream/`)).text();
  const [path] = /\/page\/stream\.js\?v=\w+/.exec(page) ?? [];

  const first = await fetch(`${app.url}${path}`);
  const etag = first.headers.get("etag") ?? "";
  const again = await fetch(`${app.url}/page/stream.js`, { headers: { "if-none-match": etag } });

  expect(first.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
  expect(first.headers.get("cache-control")).toContain("immutable");
  expect([again.status, again.headers.get("cache-control")]).toEqual([304, "no-cache"]);
});

test("the page of a job waits for its first execution, and then shows it", async () => {
  const job = await enqueue(app.url, "later", { command: "echo at last", startIn: "3s" });

  await using visited = await visit(browser, `${job.jobUrl}/stream/`);
  const { page, faults } = visited;
  await untilSays(page, "#status", "waiting");
  await untilSays(page, "#reason", /it is scheduled/);
  await untilWhole(page);

  expect(await shownLines(page)).toEqual(["at last"]);
  expect(await page.title()).toBe("later - done - fastlane");
  expect(await page.locator("#execution").getAttribute("href")).toContain("/executions/");
  expect(faults).toEqual([]);
});

test("what runs is stopped from its page, and retried on a page of its own", async () => {
  const job = await run("trap 'exit 9' TERM; echo begun; while :; do sleep 0.1; done");
  await using visited = await visit(browser, `${job.executionUrl}stream/`);
  const { page, faults } = visited;
  await page.getByText("begun").waitFor();

  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByRole("button", { name: "Stop it" }).click();
  await untilSays(page, "#status", "stopped");
  await page.getByRole("button", { name: "Retry" }).click();
  await page.waitForURL((url) => !url.pathname.includes(job.executionId));
  await page.getByText("begun").waitFor();

  expect(page.url()).toMatch(/\/executions\/[0-9a-f-]{36}\/stream\/$/);
  await fetch(`${job.jobUrl}/stop/`, { method: "POST" });
  await untilSays(page, "#status", "stopped");
  expect(faults).toEqual([]);
});

const HOSTILE = [
  ["<script>pwned=1</script>", "<script>pwned=1</script>"],
  ["<img src=x onerror=pwned=1>", "<img src=x onerror=pwned=1>"],
  ["\\033]8;;javascript:pwned=1\\033\\\\link\\033]8;;\\033\\\\", "link"],
  ["\\033]0;owned\\007title", "title"],
  ["\\033[2J\\033[1;1H\\033[?1049hcursor", "cursor"],
  ["\\033]52;c;aGk=\\007clipboard", "clipboard"],
  ["nul \\000 bel \\007", "nul NUL bel BEL"],
  ["right \\342\\200\\256tfel\\342\\200\\254", "right U+202EtfelU+202C"],
  ["never finished \\033]0;x", "never finished "],
] as const;

test("whatever a container writes is text: no markup, no link, no title, no script", async () => {
  const lines = HOSTILE.map(([text]) => `printf '${text}\\n'`);
  const halves = "printf 'half \\303'; sleep 0.3; printf '\\251\\n'";
  const job = await run([...lines, halves].join("; "), "<b>bold</b>".replaceAll("/", "&"));

  await using visited = await visit(browser, `${job.executionUrl}stream/`);
  const { page, faults } = visited;
  await untilWhole(page);

  expect(await shownLines(page)).toEqual([...HOSTILE.map(([, seen]) => seen), "half é"]);
  expect(await page.title()).toBe("<b>bold<&b> - done - fastlane");
  expect(await page.locator("#log :is(a, img, script, iframe)").count()).toBe(0);
  expect(await page.locator("h1 b").count()).toBe(0);
  expect(await page.evaluate(() => "pwned" in globalThis)).toBe(false);
  expect(faults).toEqual([]);
});

test("when the service is killed and started again, the page goes on without loss or repeat", async () => {
  await using database = await migratedDatabase();
  const { host } = await testEngine();
  const environment = {
    DATABASE_URL: database.url,
    FASTLANE_DOCKER_HOSTS: JSON.stringify([{ hosts: [host] }]),
    FASTLANE_PORT: String(await freePort()),
  };
  const first = await startFastlane({ environment });
  const script = "for i in $(seq 1 40); do seq $((i*50)) $((i*50+49)); sleep 0.1; done";
  const job = await enqueue(first.url, "t", { command: ["sh", "-c", script] });
  await using visited = await visit(browser, `${job.executionUrl}stream/`);
  const { page } = visited;
  await untilSays(page, "#amount", /^[\d,]{3,} lines/);

  await first.end("SIGKILL");
  await untilSays(page, "#connection", /Connection lost/);
  await using _ = await startFastlane({ environment });
  await untilWhole(page);

  await untilExecution(job, ({ status }) => status === "done");
  expect(`${await copyAll(page)}\n`).toBe(await stdoutOf(job));
  expect(await stdoutOf(job)).toBe(Array.from({ length: 2_000 }, (_, i) => `${i + 50}\n`).join(""));
});

test("behind a proxy that adds a path, the page finds all that it needs", async () => {
  const port = await freePort();
  const publicUrl = `http://127.0.0.1:${port}/lane`;
  await using behind = await startTestApp({
    config: { publicUrl },
    database: app.database,
    roles: { api: true, worker: false },
  });
  const job = await enqueue(behind.url, "nightly", { command: "true", startIn: "1h" });
  const [path, id] = [new URL(job.jobUrl).pathname, crypto.randomUUID()];
  await using log = startScriptedLog(behind.url, id, { port, prefix: "/lane" });
  log.write(...framesOf(["through the proxy\n"]));
  log.tell({ status: "running" });

  await using visited = await visit(browser, `${job.jobUrl}/stream/`);
  await visited.page.getByText("through the proxy").waitFor();

  expect(job.jobUrl).toStartWith(`${publicUrl}/tasks/`);
  expect(log.asked.map((one) => one.path)).toEqual([`${path}/ws/`]);
  expect(await visited.page.locator("#downloads a").first().getAttribute("href")).toBe(
    `${path}/executions/${id}/logs/?download=true`,
  );
  expect(visited.faults).toEqual([]);
});

test("the page asks for a password where the service does, and then shows the log", async () => {
  const login = { basicAuthUsername: "ops", basicAuthPassword: "secret" };
  await using locked = await startTestApp({
    config: login,
    database: app.database,
    roles: { api: true, worker: false },
  });
  const job = await run("echo for you alone");
  await untilEnded(job);
  const url = `${job.executionUrl.replace(app.url, locked.url)}stream/`;

  expect((await fetch(url)).status).toBe(401);
  const credentials = { username: "ops", password: "secret" };
  await using visited = await visit(browser, url, { httpCredentials: credentials });
  await untilWhole(visited.page);

  expect(await shownLines(visited.page)).toEqual(["for you alone"]);
});

test("a page that a viewer's token opened reads, does not act, and ends with the token", async () => {
  const login = { basicAuthUsername: "ops", basicAuthPassword: "secret" };
  await using locked = await startTestApp({
    config: login,
    database: app.database,
    roles: { api: true, worker: false },
  });
  const headers = { authorization: `Basic ${btoa("ops:secret")}` };
  const made = await fetch(`${locked.url}/tokens/`, {
    method: "POST",
    headers,
    body: JSON.stringify({ name: "looker", role: "viewer" }),
  });
  const { token } = (await made.json()) as { token: string };
  const job = await run("echo for viewers; exec sleep 60");
  const url = `${job.executionUrl.replace(app.url, locked.url)}stream/`;

  await using visited = await visit(browser, url, {
    httpCredentials: { username: "anybody", password: token },
  });
  const { page } = visited;
  await page.getByText("for viewers").waitFor();
  await page.locator("#stop").click();
  await page.locator("#confirmed").click();
  await untilSays(page, "#reason", "This needs the role submitter: the role given is viewer");
  await fetch(`${locked.url}/tokens/looker/`, { method: "DELETE", headers });

  await untilSays(page, "#connection", /You may not read on: reload the page to say who you are/);
  expect((await untilExecution(job, ({ status }) => status === "running")).status).toBe("running");
  await fetch(`${job.executionUrl}stop/`, { method: "POST" });
});
