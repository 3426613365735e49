import type { Browser, BrowserContextOptions } from "playwright-core";
import type { TestApp } from "../app.ts";
import { enqueue } from "../client.ts";
import { type Visit, visit } from "./browser.ts";
import { type ScriptedLog, startScriptedLog } from "./scripted-log.ts";

export interface ScriptedVisit extends Visit {
  log: ScriptedLog;
}

/**
 * A page of an execution that does not run, whose log is made up.
 *
 * @param prepare Is called before the page is opened.
 */
export async function visitScripted(
  app: TestApp,
  browser: Browser,
  prepare: (log: ScriptedLog) => void,
  options: BrowserContextOptions = {},
): Promise<ScriptedVisit> {
  const job = await enqueue(app.url, "made-up", { command: "true" });
  const log = startScriptedLog(app.url, job.executionId);
  log.tell({ status: "running", startedAt: new Date().toISOString() });
  prepare(log);
  const url = `${log.url}${new URL(job.executionUrl).pathname}stream/`;
  const visited = await visit(browser, url, options);
  return {
    ...visited,
    log,
    async [Symbol.asyncDispose]() {
      await visited[Symbol.asyncDispose]();
      await log[Symbol.asyncDispose]();
    },
  };
}

/** Ends the execution and its log. */
export function endWell(log: ScriptedLog): void {
  log.tell({ status: "done", exitCode: 0, finishedAt: new Date().toISOString() });
  log.end();
}
