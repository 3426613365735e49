import { expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { answerOf, eventually, kill, makeDataDir, query } from "./owners.ts";

test("after kill -9 of its owner the next one takes over the server and its rows", async () => {
  await using dataDir = await makeDataDir();
  const owner = dataDir.spawnOwner();
  const before = await answerOf(owner);
  await query(before.url, "CREATE TABLE kept AS SELECT 42 AS answer");
  await kill(owner);

  const after = await dataDir.start();

  expect(after.pid).toBe(before.pid);
  expect(await query(after.url, "SELECT answer FROM kept")).toEqual([{ answer: 42 }]);
});

test("a server taken over is stopped like one of our own", async () => {
  await using dataDir = await makeDataDir();
  const owner = dataDir.spawnOwner();
  await answerOf(owner);
  await kill(owner);
  const server = await dataDir.start();

  await server.stop();

  expect(await readdir(`${dataDir.path}/postgres/data`)).not.toContain("postmaster.pid");
});

test("a server that takes connections but answers nothing is replaced", async () => {
  await using dataDir = await makeDataDir();
  const owner = dataDir.spawnOwner();
  const before = await answerOf(owner);
  await query(before.url, "CREATE TABLE kept AS SELECT 42 AS answer");
  await kill(owner);
  process.kill(before.pid, "SIGSTOP");

  const after = await dataDir.start();

  expect(after.pid).not.toBe(before.pid);
  expect(await query(after.url, "SELECT answer FROM kept")).toEqual([{ answer: 42 }]);
}, 60_000);

test("a second fastlane is refused with what to do, and the first goes on", async () => {
  await using dataDir = await makeDataDir();
  const first = await dataDir.start();

  const { error } = await answerOf(dataDir.spawnOwner());

  expect(error).toMatch(/another fastlane is running on it; stop that one, or give this one/);
  expect(await query(first.url, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
});

test("of two that start at once on an empty folder one gets it", async () => {
  await using dataDir = await makeDataDir();

  const answers = await Promise.all([dataDir.spawnOwner(), dataDir.spawnOwner()].map(answerOf));

  const refused = answers.filter(({ error }) => error !== undefined);
  expect(refused.map(({ error }) => error)).toEqual([
    expect.stringContaining("another fastlane is running on it"),
  ]);
  const won = answers.find(({ error }) => error === undefined);
  expect(await query(won?.url ?? "", "SELECT 1 AS one")).toEqual([{ one: 1 }]);
});

test.each(["18.", "data."])("a start that was killed at %p is begun anew", async (unfinished) => {
  await using dataDir = await makeDataDir();
  const owner = dataDir.spawnOwner();
  const folder = `${dataDir.path}/postgres`;
  const left = () => readdir(folder).then((names) => names.filter((n) => n.includes("unfinished")));
  await eventually(async () => (await left()).some((name) => name.startsWith(unfinished)));
  await kill(owner);
  expect(await left()).not.toEqual([]);

  const { url } = await dataDir.start();

  expect(await query(url, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  expect(await left()).toEqual([]);
});
