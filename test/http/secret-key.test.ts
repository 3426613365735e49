import { afterAll, beforeAll, expect, test } from "bun:test";
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Config } from "../../src/config/schema.ts";
import { newKeyLine } from "../../src/core/keyring.ts";
import { startApi } from "../support/api.ts";
import { enqueue } from "../support/client.ts";
import { everyRow } from "../support/every-row.ts";
import { type MigratedDatabase, migratedDatabase } from "../support/store.ts";
import { jsonOf } from "./request.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "fastlane-keys-"));
});
afterAll(() => rm(root, { recursive: true }));

/** A node with a data folder and no key but what is there. */
function startNode(dataDir: string, database: MigratedDatabase, config: Partial<Config> = {}) {
  const dockerHosts = [{ match: "", hosts: ["tcp://10.0.0.1:1"], maxRunning: 1 }];
  return startApi({ secretKey: undefined, dataDir, dockerHosts, ...config }, database);
}

const newFolder = () => join(root, crypto.randomUUID());
const PAYLOAD = { command: "true", envs: { WORD: "canary" } };
const envsOf = async (url: string) =>
  (await jsonOf(await fetch(url))).job.metadata.envs as Record<string, string>;
const pathOf = (url: string) => new URL(url).pathname;

test("the first node makes the key, and no other starts without it", async () => {
  await using database = await migratedDatabase();
  const [mine, others] = [newFolder(), newFolder()];
  await using first = await startNode(mine, database);
  const { jobUrl } = await enqueue(first.url, "t", PAYLOAD);

  const without = startNode(others, database);
  await expect(without).rejects.toThrow(
    `Cannot start: this installation has a key, and there is no "${others}/secret.key"; ` +
      "copy the key file of its other nodes to this one, or name it by secretKeyFile",
  );
  expect(await readdir(others).catch(() => [])).toEqual([]);
  await expect(startNode(mine, database, { secretKey: newKeyLine() })).rejects.toThrow(
    "Cannot start: the key of secretKey or secretKeyFile is not that of this installation; copy",
  );
  await cp(mine, others, { recursive: true });
  await using second = await startNode(others, database);

  expect((await stat(join(mine, "secret.key"))).mode & 0o777).toBe(0o600);
  expect(await readdir(mine)).toEqual(["secret.key"]);
  expect(await everyRow(first.store)).not.toContain("canary");
  expect(await envsOf(second.url + pathOf(jobUrl))).toEqual({ WORD: "canary" });
});

test("a key is replaced while the former one still opens", async () => {
  await using database = await migratedDatabase();
  const folder = newFolder();
  const file = join(folder, "secret.key");
  const key = newKeyLine();
  const jobs: string[] = [];
  const visit = async () => {
    await using node = await startNode(folder, database);
    jobs.push(pathOf((await enqueue(node.url, "t", PAYLOAD)).jobUrl));
    return await Promise.all(jobs.map((path) => envsOf(node.url + path)));
  };

  await visit();
  await writeFile(file, key + (await readFile(file, "utf8")));
  const both = await visit();
  await writeFile(file, key);
  const [lost, ...rest] = await visit();

  expect(both).toEqual([PAYLOAD.envs, PAYLOAD.envs]);
  expect(rest).toEqual([PAYLOAD.envs, PAYLOAD.envs]);
  expect(lost).toEqual({ "***": "***" });
});

test("nothing is sealed while a node of a version before is alive, which then cannot come back", async () => {
  await using database = await migratedDatabase();
  const folder = newFolder();
  await using before = await startNode(folder, database);
  const { sql } = before.store;
  const beat = () => sql`
    INSERT INTO fastlane.nodes (id, name, version, process)
    VALUES ('00000000-0000-0000-0000-000000000001', 'old', '0', 'x')
    ON CONFLICT (id) DO UPDATE SET heartbeat_at = now()`;
  await sql`UPDATE fastlane.installation SET seals = false`;
  await beat();
  const ask = async (url: string) => {
    const init = { method: "POST", headers: { "idempotency-key": "k" } };
    const body = JSON.stringify({ image: "busybox", ...PAYLOAD });
    return (await jsonOf(await fetch(`${url}/tasks/t/`, { ...init, body }))).jobUrl as string;
  };

  await using beside = await startNode(folder, database);
  const clear = pathOf(await ask(beside.url));
  const clearRows = await everyRow(before.store);
  await sql`UPDATE fastlane.nodes SET heartbeat_at = now() - interval '2 minutes'`;
  await using after = await startNode(folder, database);
  const again = pathOf(await ask(after.url));

  expect(clearRows).toContain("canary");
  expect(beside.logged.join()).toContain("a node of a version before is alive");
  expect(await envsOf(after.url + clear)).toEqual(PAYLOAD.envs);
  // The same request under the same key, whose digest was kept in the earlier way.
  expect(again).toBe(clear);
  await expect(beat().then()).rejects.toThrow("rows are sealed by now");
});

test.each([
  ["what is no key", "x\n", "must have lines of 32 bytes in base64"],
  ["nothing", "", "must have lines of 32 bytes in base64"],
])("a key file with %s is told of without it", async (_, text, says) => {
  await using database = await migratedDatabase();
  const file = join(root, "secret.key");
  await writeFile(file, text);

  await expect(startNode(root, database)).rejects.toThrow(
    `Cannot start: the key "${file}" ${says}`,
  );
});
