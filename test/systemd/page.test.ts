import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { examplesOf } from "../docs/markdown.ts";
import { testEngine } from "../support/engine.ts";
import { bootSystemd, type Machine } from "../support/systemd/machine.ts";

const ROOT = new URL("../../", import.meta.url);
const OURS = "test/systemd/page.test.ts";

let machine: Machine;
let examples: string[];

beforeAll(async () => {
  const { host } = await testEngine();
  machine = await bootSystemd({ dockerSocket: host.replace("unix://", "") });
  const page = await readFile(new URL("docs/systemd.md", ROOT), "utf8");
  examples = examplesOf(page).flatMap(({ runBy, text }) => (runBy === OURS ? [text] : []));
});

afterAll(async () => {
  await machine?.[Symbol.asyncDispose]();
});

/** As a reader would, in the folder of the sources, with what is to be typed as standard input. */
const follow = (example: string | undefined, typed = "") =>
  machine.must(`cd /mnt/project; { ${example}\n} <<<${JSON.stringify(typed)}`);

const health = () =>
  machine.must("curl --silent --fail --retry 20 --retry-connrefused localhost:10000/healthcheck/");

test("what the page tells of the service sets it up, and then its socket, and its credentials", async () => {
  const [service, socket, credentials, ...more] = examples;

  await follow(service);
  const started = await health();
  await follow(socket);
  const bySocket = await health();
  await follow(credentials, "postgres://nobody@nowhere/none");

  expect(more).toEqual([]);
  expect([started, bySocket]).toEqual([expect.stringContaining('"errors":[]'), started]);
  expect(await machine.must("systemctl is-active fastlane fastlane.socket")).toBe(
    "active\nactive\n",
  );
  expect(await machine.must("stat -c %a /etc/credstore/fastlane.databaseUrl")).toBe("600\n");
});
