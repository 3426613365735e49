import { expect, test } from "bun:test";
import type { App } from "../../src/app.ts";
import { reloadOnHangup } from "../../src/cli/reload-on-hangup.ts";
import type { Changes } from "../../src/config/changes.ts";
import type { Config } from "../../src/config/schema.ts";

const NOTHING: Changes = {
  sentences: [],
  fields: {
    pools: { added: [], removed: [], changed: [] },
    hostAccess: [],
    registries: { added: [], removed: [], changed: [] },
    webhooks: { added: [], removed: [], changed: [] },
  },
  needRestart: [],
  notices: [],
};

/** What hears hangups, with reloads that last until they are let go. */
function hearing() {
  const app = Promise.withResolvers<App>();
  const begun: string[] = [];
  const waiting: (() => void)[] = [];
  const said: string[] = [];
  const log = {
    info: (_: object, event: string) => said.push(event),
    warn: (_: object, event: string) => said.push(event),
    error: (fields: object, event: string) => said.push(`${event} ${JSON.stringify(fields)}`),
  };
  let files = 0;
  const end = reloadOnHangup({
    app: app.promise,
    log,
    isTerminalGone: () => false,
    onTerminalGone: () => {},
    tell: async () => {},
    read() {
      files += 1;
      begun.push(`file ${files}`);
      return {} as Config;
    },
  });
  const reload = () =>
    new Promise<Changes>((resolve) => {
      waiting.push(() => resolve(NOTHING));
    });
  return {
    begun,
    said,
    end,
    start: () =>
      app.resolve({
        url: null,
        metricsUrl: null,
        reload,
        fault: async () => null,
        stop: async () => {},
      }),
    /** Resolves when what follows from it has begun. */
    async letGo() {
      waiting.shift()?.();
      await Bun.sleep(0);
    },
    async hangUp() {
      process.emit("SIGHUP", "SIGHUP");
      await Bun.sleep(0);
    },
  };
}

test("a hangup during the start is a reload after it, and each further one waits for the one before", async () => {
  const { begun, said, start, hangUp, letGo, end } = hearing();

  await hangUp();
  expect(begun).toEqual([]);
  start();
  await hangUp();
  expect(begun).toEqual(["file 1"]);
  await letGo();
  expect(begun).toEqual(["file 1", "file 2"]);
  await letGo();

  await end();
  expect(said).toEqual(Array(2).fill("reloaded: nothing that a reload takes over has changed"));
});

test("who ends them waits for the reload that is under way, and later hangups are ignored", async () => {
  const { begun, said, start, hangUp, letGo, end } = hearing();
  start();
  await hangUp();
  await hangUp();

  const ended = end();
  await hangUp();
  await letGo();
  await ended;

  expect(begun).toEqual(["file 1"]);
  expect(said).toHaveLength(1);
});
