import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { eventually } from "../client.ts";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Debian's Chromium, without a window and with an empty profile of its own. */
export async function startBrowser(): Promise<Browser> {
  return await chromium.launch({
    executablePath: "/usr/bin/chromium",
    headless: true,
    args: FLAGS,
  });
}

export interface Visit extends AsyncDisposable {
  page: Page;
  /** Errors of the console and of scripts, and what the Content-Security-Policy forbade. */
  faults: string[];
}

/** Opens a page in a context of its own. Resolves when its script has begun. */
export async function visit(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(message.text());
  });
  page.on("pageerror", (error) => faults.push(error.message));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
      console.error(`forbidden by ${violatedDirective}: ${blockedURI}`),
    );
  });
  await page.goto(url);
  return { page, faults, [Symbol.asyncDispose]: () => context.close() };
}

/** Resolves when an element says what is wanted. */
export async function untilSays(page: Page, selector: string, wanted: string | RegExp) {
  let last: string | null = null;
  await eventually(
    async () => {
      last = await page.locator(selector).textContent();
      const isSo = typeof wanted === "string" ? last === wanted : wanted.test(last ?? "");
      return isSo || undefined;
    },
    () => `${selector} does not say ${wanted}: ${last}`,
  );
}

export const untilWhole = (page: Page) => untilSays(page, "#connection", /^Ended/);

/** The lines that are in the page just now, from the first to the last. */
export async function shownLines(page: Page): Promise<string[]> {
  return await page.locator("#rows > .row:not(.aside) .text").allTextContents();
}

/** The numbers of the lines that the reader can see. */
export async function seenNumbers(page: Page): Promise<number[]> {
  return await page.evaluate(() => {
    const log = document.querySelector("#log")?.getBoundingClientRect();
    const rows = [...document.querySelectorAll<HTMLElement>("#rows > .row:not(.aside)")];
    return rows
      .filter((row) => {
        const { top, bottom } = row.getBoundingClientRect();
        return log !== undefined && top >= log.top - 1 && bottom <= log.bottom + 1;
      })
      .map((row) => Number(row.dataset["number"]));
  });
}

/** All lines of the log: what a reader gets who selects it whole and copies. */
export async function copyAll(page: Page): Promise<string> {
  await page.locator("#log").press("Control+a");
  return await copied(page);
}

/** What would be in the clipboard if the reader copied now. */
export async function copied(page: Page): Promise<string> {
  return await page.evaluate(() => {
    const clipboardData = new DataTransfer();
    const event = new ClipboardEvent("copy", { clipboardData, bubbles: true, cancelable: true });
    const isLeftToBrowser = document.querySelector("#log")?.dispatchEvent(event) === true;
    return isLeftToBrowser ? String(getSelection()) : clipboardData.getData("text/plain");
  });
}
