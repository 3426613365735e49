import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { startTestApp, type TestApp } from "../support/app.ts";
import { eventually } from "../support/client.ts";
import {
  copied,
  copyAll,
  seenNumbers,
  shownLines,
  startBrowser,
  untilSays,
  untilWhole,
} from "../support/page/browser.ts";
import { framesOf } from "../support/page/scripted-log.ts";
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

const numbered = (count: number, from = 1) =>
  Array.from({ length: count }, (_, index) => `line ${from + index}\n`);
const untilSeen = (page: Page, number: number) =>
  eventually(
    async () => (await seenNumbers(page)).includes(number) || undefined,
    () => `line ${number} is not seen`,
  );
const follows = async (page: Page) =>
  (await page.locator("#follow").getAttribute("aria-pressed")) === "true";

test("the page follows the log, lets go when the reader scrolls up, and takes it up again", async () => {
  await using visited = await visitScripted(app, browser, (log) =>
    log.write(...framesOf(numbered(200))),
  );
  const { page, log, faults } = visited;
  await untilSeen(page, 200);

  log.write(...framesOf(numbered(50, 201), { seq: 201 }));
  await untilSeen(page, 250);
  expect(await follows(page)).toBe(true);

  await page.locator("#log").hover();
  await page.mouse.wheel(0, -1_000);
  await eventually(
    async () => !(await follows(page)) || undefined,
    () => "it holds on",
  );
  const before = await seenNumbers(page);
  log.write(...framesOf(numbered(50, 251), { seq: 251 }));
  await untilSays(page, "#more", "Follow: 50 new lines");
  expect(await seenNumbers(page)).toEqual(before);

  await page.locator("#more").click();
  await untilSeen(page, 300);
  expect([await follows(page), await page.locator("#more").isVisible()]).toEqual([true, false]);

  await page.keyboard.press("f");
  expect(await follows(page)).toBe(false);
  await page.keyboard.press("Home");
  await untilSeen(page, 1);
  await page.locator("#log").press("End");
  await untilSeen(page, 300);
  expect(faults).toEqual([]);
});

test("what is searched for is counted, marked and gone through by keys", async () => {
  const lines = numbered(2_000).map((line, index) =>
    index % 100 === 49 ? `Needle needle ${line}` : line,
  );
  await using visited = await visitScripted(app, browser, (log) => {
    log.write(...framesOf(lines));
    endWell(log);
  });
  const { page, log: _, faults } = visited;
  await untilWhole(page);

  await page.keyboard.press("/");
  await page.keyboard.type("needle");
  await untilSays(page, "#found", "1 of 40");
  await untilSeen(page, 50);
  expect(await page.locator("mark.now").textContent()).toBe("Needle");

  await page.keyboard.press("Shift+Enter");
  await untilSays(page, "#found", "40 of 40");
  await untilSeen(page, 1_950);
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await untilSays(page, "#found", "2 of 40");
  await untilSeen(page, 50);
  expect(await page.locator("mark:not(.now)").first().textContent()).toBe("Needle");
  expect(await page.locator("mark.now").textContent()).toBe("needle");

  await page.locator("#query").fill("nowhere");
  await untilSays(page, "#found", "Nothing found");
  await page.keyboard.press("Escape");
  expect([await page.locator("#query").inputValue(), await page.locator("mark").count()]).toEqual([
    "",
    0,
  ]);
  expect(await page.locator("#log").evaluate((log) => log === document.activeElement)).toBe(true);
  expect(faults).toEqual([]);
});

test("a search finds what is written after it was begun", async () => {
  await using visited = await visitScripted(app, browser, (log) =>
    log.write(...framesOf(["one\n", "tw"])),
  );
  const { page, log } = visited;
  await page.locator("#query").fill("o");
  await untilSays(page, "#found", "1 of 1");

  log.write(...framesOf(["o\n", "no\n"], { seq: 3 }));

  await untilSays(page, "#found", "1 of 3");
  await page.locator("#query").press("Enter");
  expect(await page.locator(".row.now .text").textContent()).toBe("two");
});

test("500,000 lines are scrolled through, and only what is seen is in the page", async () => {
  const count = 500_000;
  await using visited = await visitScripted(app, browser, (log) =>
    log.write(...framesOf(numbered(count))),
  );
  const { page, log, faults } = visited;
  await untilSays(page, "#amount", "500,000 lines");
  await untilSeen(page, count);
  const rows = async () => await page.locator("#rows > .row").count();
  expect(await rows()).toBeLessThan(100);

  for (const [share, middle] of [
    [0.5, 250_000],
    [0.25, 125_000],
    [0, 10],
  ] as const) {
    await page.locator("#log").evaluate((element, part) => {
      element.scrollTop = (element.scrollHeight - element.clientHeight) * part;
    }, share);
    await eventually(
      async () =>
        (await seenNumbers(page)).some((number) => Math.abs(number - middle) < 30) || undefined,
      () => `line ${middle} is not seen`,
    );
    const [first = ""] = await shownLines(page);
    const number = await page.locator("#rows > .row").first().getAttribute("data-number");
    expect(first).toBe(`line ${number}`);
    expect(await rows()).toBeLessThan(100);
  }
  await page.locator("#query").fill("line 499999");
  await untilSays(page, "#found", "1 of 1");
  await untilSeen(page, 499_999);
  await page.keyboard.press("Escape");
  await page.keyboard.press("w");
  await page.keyboard.press("g");
  await untilSeen(page, 1);
  await page.keyboard.press("Shift+G");
  await untilSeen(page, count);
  endWell(log);
  await untilWhole(page);
  expect(faults).toEqual([]);
});

test("long lines are broken when asked for, and the row at the top stays", async () => {
  const lines = numbered(400).map(
    (line, index) => `${"long ".repeat(index % 7 === 0 ? 200 : 3)}${line}`,
  );
  await using visited = await visitScripted(app, browser, (log) => {
    log.write(...framesOf(lines));
    endWell(log);
  });
  const { page } = visited;
  await untilWhole(page);
  await page.locator("#log").evaluate((element) => element.scrollTo(0, 20 * 200));
  await untilSeen(page, 203);
  const isWide = () =>
    page.locator("#log").evaluate(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth);
  expect(await isWide()).toBe(true);

  await page.keyboard.press("w");

  expect(await isWide()).toBe(false);
  const [first = 0] = await seenNumbers(page);
  expect(Math.abs(first - 201)).toBeLessThanOrEqual(1);
  // Everything between the begin and the end is met on the way, in its order and once.
  const met: number[] = [];
  await page.keyboard.press("g");
  for (let step = 0; step < 200 && met.at(-1) !== 400; step++) {
    for (const number of await seenNumbers(page)) if (number > (met.at(-1) ?? 0)) met.push(number);
    await page.locator("#log").evaluate((element) => element.scrollBy(0, 300));
    await page.evaluate(() => new Promise(requestAnimationFrame));
    await page.evaluate(() => new Promise(requestAnimationFrame));
  }
  expect(met).toEqual(Array.from({ length: 400 }, (_, index) => index + 1));
});

test("times are shown when asked for, where the reader is", async () => {
  const frames = framesOf(["a\n"], { at: "2026-11-24T15:00:00.123Z" });
  await using visited = await visitScripted(app, browser, (log) => log.write(...frames), {
    timezoneId: "Asia/Tokyo",
  });
  const { page } = visited;
  await page.getByText("a", { exact: true }).waitFor();
  expect(await page.locator(".at").count()).toBe(0);

  await page.keyboard.press("t");

  expect(await page.locator(".at").getAttribute("data-at")).toBe("00:00:00.123");
  expect(await page.locator(".at").getAttribute("title")).toBe("2026-11-24T15:00:00.123Z");
});

test("text is selected and copied over more lines than are in the page", async () => {
  await using visited = await visitScripted(app, browser, (log) => {
    log.write(...framesOf(numbered(5_000)));
    endWell(log);
  });
  const { page } = visited;
  await untilWhole(page);
  await page.evaluate(() => {
    const text = document.querySelectorAll("#rows > .row .text")[2]?.firstChild;
    if (text != null) getSelection()?.setBaseAndExtent(text, 5, text, 6);
  });
  await page.keyboard.press("Shift+G");
  await untilSeen(page, 5_000);
  await page.evaluate(() => {
    const text = [...document.querySelectorAll("#rows > .row .text")].at(-1)?.firstChild;
    const { anchorNode, anchorOffset } = getSelection() ?? {};
    if (text != null && anchorNode != null) {
      getSelection()?.setBaseAndExtent(anchorNode, anchorOffset ?? 0, text, 7);
    }
  });

  const text = await copied(page);

  const expected = numbered(5_000).slice(2).join("").slice("line ".length).slice(0, -"00\n".length);
  expect(text).toBe(expected);
  expect(await copyAll(page)).toBe(numbered(5_000).join("").trimEnd());
});

test("the pull's lines are dimmed, and a gap is told of in its place", async () => {
  await using visited = await visitScripted(app, browser, (log) =>
    log.write(
      ...framesOf(["a1b2: Pulling fs layer\n"], { stream: "pull" }),
      { seq: 5, gap: { bytes: 1_234, lines: 7 } },
      ...framesOf(["after\n"], { seq: 6 }),
    ),
  );
  const { page } = visited;
  await page.getByText("after").waitFor();

  expect(await shownLines(page)).toEqual([
    "a1b2: Pulling fs layer",
    "7 lines (1,234 bytes) left out here: the log is too long",
    "after",
  ]);
  const colourOf = (kind: string) =>
    page.locator(`.row.${kind} .text`).evaluate((text) => getComputedStyle(text).color);
  expect(await colourOf("pull")).not.toBe(await colourOf("stdout"));
});
