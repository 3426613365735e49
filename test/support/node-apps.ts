import type { AppOptions } from "../../src/app/options.ts";
import type { App } from "../../src/app.ts";
import type { Changes } from "../../src/config/changes.ts";
import type { Answer, Request, Said } from "./node-server.ts";

const PROGRAM = new URL("../../build/test-server.mjs", import.meta.url).pathname;

/** What is asked of the one process of Node that runs all apps of a test file. */
interface Process {
  ask<Result>(request: Omit<Request, "id">, log?: AppOptions["log"]): Promise<Result>;
}

let running: Process | undefined;

/** The same as `startApp`, with the app in a process of Node: the one that Node's users get. */
export async function startNodeApp(options: AppOptions): Promise<Omit<App, "fault">> {
  const { config, version, roles, log } = options;
  running ??= startProcess();
  const { ask } = running;
  const app = crypto.randomUUID();
  const started = { start: { config, version, roles }, app };
  const urls = await ask<Pick<App, "url" | "metricsUrl">>(started, log);
  return {
    ...urls,
    reload: (next) => ask<Changes>({ app, reload: next }),
    stop: (delayMs = 0) => ask<void>({ app, stop: delayMs }),
  };
}

function startProcess(): Process {
  const child = Bun.spawn(["node", PROGRAM], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
    // As ours, but for what tells Bun's tests how to run.
    env: { ...process.env },
  });
  child.unref();
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  const logs = new Map<string, AppOptions["log"]>();
  const hear = (said: Said) => {
    if ("level" in said) return logs.get(said.app)?.[said.level](said.fields, said.event);
    const answer = waiting.get(said.id);
    waiting.delete(said.id);
    if (said.error === undefined) answer?.resolve(said.result);
    else answer?.reject(new Error(said.error));
  };
  void (async () => {
    let rest = "";
    const decoder = new TextDecoder();
    for await (const part of child.stdout) {
      const lines = (rest + decoder.decode(part, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) hear(JSON.parse(line) as Answer);
    }
    for (const { reject } of waiting.values()) reject(new Error("The process of Node has ended"));
  })();
  let asked = 0;
  return {
    async ask<Result>(request: Omit<Request, "id">, log?: AppOptions["log"]) {
      if (log !== undefined) logs.set(request.app, log);
      const id = asked++;
      const answer = Promise.withResolvers<unknown>();
      waiting.set(id, answer);
      child.stdin.write(`${JSON.stringify({ ...request, id })}\n`);
      child.stdin.flush();
      return (await answer.promise) as Result;
    },
  };
}
