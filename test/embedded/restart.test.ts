import { expect, test } from "bun:test";
import { answerOf, eventually, kill, makeDataDir, query } from "./owners.ts";

test("a server that was killed comes back by itself, with its rows, and its owner is told", async () => {
  await using dataDir = await makeDataDir();
  const told = Promise.withResolvers<string>();
  const server = await dataDir.start(told.resolve);
  const { pid } = server;
  await query(server.url, "CREATE TABLE kept AS SELECT 42 AS answer");

  process.kill(pid, "SIGKILL");

  expect(await told.promise).toBe("it was ended by SIGKILL");
  const rows = await eventually(() => query(server.url, "SELECT answer FROM kept"));
  expect(rows).toEqual([{ answer: 42 }]);
  await eventually(async () => server.pid !== pid);
  expect(server.logged).toContain("Postgres ended by itself, starting it again");
});

test("a server taken over is watched, too", async () => {
  await using dataDir = await makeDataDir();
  const owner = dataDir.spawnOwner();
  await answerOf(owner);
  await kill(owner);
  const told = Promise.withResolvers<string>();
  const server = await dataDir.start(told.resolve);
  const { pid } = server;

  process.kill(pid, "SIGKILL");

  expect(await told.promise).toBe("its process is gone");
  await eventually(async () => server.pid !== pid);
  expect(await query(server.url, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
});

test.each([
  ["its server was killed", (pid: number) => process.kill(pid, "SIGKILL")],
  ["the session that holds it was ended", endOwnerSession],
])("the folder is ours again after %s", async (_, disturb) => {
  await using dataDir = await makeDataDir();
  const server = await dataDir.start();
  const before = await eventually(() => ownerSession(server.url));

  await disturb(server.pid, server.url);

  await eventually(async () => {
    const session = await ownerSession(server.url);
    return session !== false && session !== before;
  });
  const { error } = await answerOf(dataDir.spawnOwner());
  expect(error).toContain("another fastlane is running on it");
});

test("stop wins over a start that is under way again", async () => {
  await using dataDir = await makeDataDir();
  const told = Promise.withResolvers<string>();
  const server = await dataDir.start(told.resolve);
  process.kill(server.pid, "SIGKILL");
  await told.promise;

  await server.stop();

  await expect(query(server.url, "SELECT 1")).rejects.toThrow();
});

async function endOwnerSession(_: number, url: string): Promise<void> {
  await query(
    url,
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'fastlane owner'",
  );
}

async function ownerSession(url: string): Promise<number | false> {
  const [row] = await query(
    url,
    "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted",
  );
  return row === undefined ? false : Number(row["pid"]);
}
