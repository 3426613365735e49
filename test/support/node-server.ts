// Runs apps for tests in a process of Node: a line of JSON on stdin asks, one on stdout answers.
// Built by scripts/build-node.ts into build/test-server.mjs.
import "../../src/node/later.ts";
import { createInterface } from "node:readline";
import type { AppOptions } from "../../src/app/options.ts";
import { type App, startApp } from "../../src/app.ts";
import type { Config } from "../../src/config/schema.ts";
import { stackOf } from "../../src/core/errors.ts";

export interface Request {
  id: number;
  app: string;
  start?: Omit<AppOptions, "log">;
  reload?: Config;
  /** For how long it answers on, in milliseconds. */
  stop?: number;
}

export interface Answer {
  id: number;
  result?: unknown;
  error?: string;
}

type Level = keyof AppOptions["log"];

/** A line of an app's log. */
interface Logged {
  app: string;
  level: Level;
  fields: Record<string, unknown>;
  event: string;
}

export type Said = Answer | Logged;

const apps = new Map<string, App>();
const say = (said: Said) => process.stdout.write(`${JSON.stringify(said)}\n`);

async function act({ app, start, reload, stop }: Omit<Request, "id">): Promise<unknown> {
  if (start !== undefined) {
    const note = (level: Level) => (fields: Record<string, unknown>, event: string) => {
      say({ app, level, fields, event });
    };
    const log = {
      debug: note("debug"),
      info: note("info"),
      warn: note("warn"),
      error: note("error"),
    };
    const started = await startApp({ ...start, log });
    apps.set(app, started);
    return { url: started.url, metricsUrl: started.metricsUrl };
  }
  const running = apps.get(app);
  if (reload !== undefined) return await running?.reload(reload);
  if (stop !== undefined) return await running?.stop(stop);
  return null;
}

// Who asked may end without a word.
const lines = createInterface({ input: process.stdin });
lines.on("close", () => process.exit());
lines.on("line", async (line) => {
  const { id, ...request } = JSON.parse(line) as Request;
  try {
    say({ id, result: await act(request) });
  } catch (error) {
    say({ id, error: stackOf(error) });
  }
});
