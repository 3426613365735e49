import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import type { AxeResults } from "axe-core";
import axe from "axe-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { startTestApp, type TestApp } from "../support/app.ts";
import {
  copyAll,
  shownLines,
  startBrowser,
  untilSays,
  untilWhole,
} from "../support/page/browser.ts";
import { framesOf, type ScriptedLog } from "../support/page/scripted-log.ts";
import { endWell, visitScripted } from "../support/page/scripted-visit.ts";

let app: TestApp;
let browser: Browser;
beforeAll(async () => {
  const isAlone = { roles: { api: true, worker: false } };
  [app, browser] = await Promise.all([startTestApp(isAlone), startBrowser()]);
});
afterAll(async () => {
  await browser.close();
  await app[Symbol.asyncDispose]();
});

const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  isMobile: true,
  hasTouch: true,
};
const ESC = "\u001b";
const COLOURS = [
  ...Array.from({ length: 16 }, (_, index) => `${ESC}[38;5;${index}mcolour ${index}${ESC}[0m\n`),
  ...Array.from(
    { length: 16 },
    (_, index) => `${ESC}[48;5;${index * 15}mcolour ${index}${ESC}[0m\n`,
  ),
  `${ESC}[2mdim ${ESC}[7minverse${ESC}[0m ${ESC}[38;2;128;128;128mgrey${ESC}[0m \0 \u202e\n`,
];

const writeAll = (log: ScriptedLog) =>
  log.write(
    ...framesOf(["pulled\n"], { stream: "pull" }),
    ...framesOf(COLOURS, { seq: 2 }),
    ...framesOf(COLOURS, { seq: 100, stream: "stderr" }),
    { seq: 200, gap: { bytes: 10, lines: 2 } },
    ...framesOf([`${"long ".repeat(100)}end`], { seq: 201 }),
  );

const backgroundOf = (page: Page) =>
  page.locator("body").evaluate((body) => getComputedStyle(body).backgroundColor);
const LIGHT = "rgb(253, 252, 250)";
const DARK = "rgb(22, 24, 27)";

test("the page has the face of the system, or the one that was chosen, which it remembers", async () => {
  await using visited = await visitScripted(app, browser, writeAll, { colorScheme: "dark" });
  const { page, faults } = visited;
  const button = page.getByRole("button", { name: /^Colours/ });
  expect(await backgroundOf(page)).toBe(DARK);

  await button.click();
  expect([await button.textContent(), await backgroundOf(page)]).toEqual(["Colours: light", LIGHT]);
  await page.reload();
  expect(await backgroundOf(page)).toBe(LIGHT);
  await button.click();
  await page.emulateMedia({ colorScheme: "light" });
  expect([await button.textContent(), await backgroundOf(page)]).toEqual(["Colours: dark", DARK]);
  await button.click();

  expect([await button.textContent(), await backgroundOf(page)]).toEqual([
    "Colours: system",
    LIGHT,
  ]);
  expect(faults).toEqual([]);
});

test("on a telephone nothing is wider than it, and what is touched is large enough", async () => {
  await using visited = await visitScripted(app, browser, writeAll, PHONE);
  const { page } = visited;
  await page.getByText("end", { exact: false }).first().waitFor();
  const small = () =>
    page.evaluate(() =>
      [...document.querySelectorAll("button, summary, input, #downloads a")].flatMap((element) => {
        const { width, height } = element.getBoundingClientRect();
        const isSmall = element.checkVisibility() && !element.matches(".link");
        return isSmall && (width < 44 || height < 44) ? [`${element.id} ${width}x${height}`] : [];
      }),
    );
  const widths = () =>
    page.evaluate(() =>
      [document.documentElement, ...document.querySelectorAll("#log, header, main, footer")].map(
        ({ scrollWidth, clientWidth }) => scrollWidth - clientWidth,
      ),
    );

  expect([await widths(), await small()]).toEqual([[0, 0, 0, 0, 0], []]);
  await page.locator("#query").fill("colour");
  await untilSays(page, "#found", /of/);
  expect([await widths(), await small()]).toEqual([[0, 0, 0, 0, 0], []]);
  await page.getByRole("button", { name: "Leave the search" }).tap();
  await page.locator("#downloads summary").tap();
  expect([await widths(), await small()]).toEqual([[0, 0, 0, 0, 0], []]);
});

const STATES: [string, (page: Page, log: ScriptedLog) => Promise<void>][] = [
  ["running", async (page) => await page.locator("#log").hover()],
  [
    "being searched, with times and broken lines",
    async (page) => {
      await page.keyboard.press("t");
      await page.keyboard.press("w");
      await page.keyboard.press("/");
      await page.keyboard.type("colour");
      await untilSays(page, "#found", /of/);
    },
  ],
  [
    "lost",
    async (page, log) => {
      log.goAway();
      await untilSays(page, "#connection", /lost/);
    },
  ],
  [
    "failed, with its downloads open",
    async (page, log) => {
      log.tell({
        status: "failed",
        exitCode: 1,
        message: "exit code 1",
        finishedAt: new Date().toISOString(),
      });
      log.end();
      await untilWhole(page);
      await page.locator("#downloads summary").click();
    },
  ],
  ["with its keys told", async (page) => await page.keyboard.press("?")],
  [
    "asking whether to stop",
    async (page) => await page.getByRole("button", { name: "Stop" }).click(),
  ],
];
const CASES = STATES.flatMap(([name, act]) =>
  (["light", "dark"] as const).map((colorScheme) => [name, colorScheme, act] as const),
);

test.each(CASES)(
  "a page that is %s has no barrier in its %s face (axe)",
  async (_, colorScheme, act) => {
    // axe itself is a script from elsewhere.
    const options = { colorScheme, bypassCSP: true, reducedMotion: "reduce" } as const;
    await using visited = await visitScripted(app, browser, writeAll, options);
    const { page, log } = visited;
    await page.locator(".row.gap").waitFor();
    await act(page, log);

    await page.evaluate(axe.source);
    const { violations } = await page.evaluate(runAxe);

    const told = violations.map(({ id, nodes }) => [
      id,
      nodes.map(({ html, failureSummary }) => [html, failureSummary]),
    ]);
    expect(told).toEqual([]);
  },
);

async function runAxe(): Promise<AxeResults> {
  return await (globalThis as unknown as { axe: typeof axe }).axe.run();
}

test("a page whose connection breaks off goes on behind what it has, by itself", async () => {
  await using visited = await visitScripted(app, browser, (log) =>
    log.write(...framesOf(["one\n", "tw"])),
  );
  const { page, log } = visited;
  await page.getByText("tw", { exact: true }).waitFor();

  log.goAway();
  await untilSays(page, "#connection", /^Connection lost. Trying again in \d+ s$/);
  await untilSays(page, "#news", "The connection is lost; it is tried again");
  log.comeBack();
  log.write(...framesOf(["o\n", "three\n"], { seq: 3 }));
  await page.getByRole("button", { name: "Try now" }).click();
  await untilSays(page, "#connection", "Live");
  endWell(log);
  await untilWhole(page);

  expect(await copyAll(page)).toBe("one\ntwo\nthree");
  expect(log.asked.at(-1)).toMatchObject({ after: 2 });
});

test("a page whose execution is no longer kept says so, and gives up", async () => {
  await using visited = await visitScripted(app, browser, (log) =>
    log.write(...framesOf(["one\n"])),
  );
  const { page, log } = visited;
  await page.getByText("one", { exact: true }).waitFor();

  log.goAway(404);

  await untilSays(page, "#connection", "This log is no longer kept here");
  expect(await page.locator("#reconnect").isVisible()).toBe(false);
  expect(await shownLines(page)).toEqual(["one"]);
});

test("those who listen are told how the execution is, and not each line", async () => {
  await using visited = await visitScripted(app, browser, (log) =>
    log.tell({ status: "enqueued", startedAt: null }),
  );
  const { page, log } = visited;
  await untilSays(page, "#news", "made-up is enqueued");
  expect(await page.locator("#empty").textContent()).toContain("Waiting to start");

  log.tell({ status: "running", startedAt: new Date().toISOString() });
  log.write(...framesOf(["a\n"]));
  await untilSays(page, "#news", "made-up is running");
  endWell(log);
  await untilSays(page, "#news", "made-up is done, exit code 0");

  expect(await page.title()).toBe("made-up - done - fastlane");
  const live = await page
    .locator("[aria-live], [role=status], [role=log], output")
    .evaluateAll((all) => all.map(({ id }) => id));
  expect(live.sort()).toEqual(["found", "news"]);
  expect(await shownLines(page)).toEqual(["a"]);
});

test("the script and style that are served are made of what is in src/page", async () => {
  const root = `${import.meta.dir}/../..`;
  const made = await mkdtemp(`${tmpdir()}/fastlane-page-`);
  await Bun.$`${process.execPath} scripts/build-page.ts ${made}`.cwd(root).quiet();

  // Of each its hash: the files themselves would fill a page if they were not the same.
  const hashOf = (text: string) => Bun.hash(text).toString(16);
  const names = ["stream.js", "stream.css"];
  const served = await Promise.all(
    names.map(async (name) => hashOf(await (await fetch(`${app.url}/page/${name}`)).text())),
  );
  const fresh = await Promise.all(
    names.map(async (name) => hashOf(await Bun.file(`${made}/${name}`).text())),
  );
  await rm(made, { recursive: true });

  expect(served).toEqual(fresh);
});
