import { expect, test } from "bun:test";
import { chmod, lstat, mkdir, readdir, readFile, readlink, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { runningPostgresUrl } from "../../src/embedded/running.ts";
import { makeDataDir, query } from "./owners.ts";

const isRoot = process.getuid?.() === 0;

test("a first start makes our database, and a later one finds its rows", async () => {
  await using dataDir = await makeDataDir();
  const first = await dataDir.start();
  await query(first.url, "CREATE TABLE kept AS SELECT 42 AS answer");
  await first.stop();

  const second = await dataDir.start();

  expect(await query(second.url, "SELECT answer FROM kept")).toEqual([{ answer: 42 }]);
  expect(second.pid).not.toBe(first.pid);
});

test("others find it while it runs, and nothing is made where it does not", async () => {
  await using dataDir = await makeDataDir();
  const before = await runningPostgresUrl(dataDir.path);
  const made = await readdir(dataDir.path).catch(() => []);
  const server = await dataDir.start();

  const found = await runningPostgresUrl(dataDir.path);
  await server.stop();

  expect([before, made]).toEqual([null, []]);
  expect(found).toBe(server.url);
  expect(await runningPostgresUrl(dataDir.path)).toBeNull();
});

test("it sorts by code points in UTF-8, and writes to disk before it says so", async () => {
  await using dataDir = await makeDataDir();

  const { url } = await dataDir.start();

  const [row] = await query(
    url,
    `SELECT current_setting('server_encoding') AS encoding, current_setting('fsync') AS fsync,
      current_setting('synchronous_commit') AS commit, 'Z' < 'a' AS "byCodePoint",
      (SELECT datlocale FROM pg_database WHERE datname = 'fastlane') AS locale`,
  );
  expect(row).toEqual({
    encoding: "UTF8",
    fsync: "on",
    commit: "on",
    byCodePoint: true,
    locale: "C.UTF-8",
  });
});

test("nobody but its user reaches the socket, and it listens on no network", async () => {
  await using dataDir = await makeDataDir();

  const { url, pid } = await dataDir.start();

  const folder = new URL(url).searchParams.get("host") ?? "";
  expect((await lstat(folder)).mode & 0o777).toBe(0o700);
  expect((await lstat(`${dataDir.path}/postgres/data`)).mode & 0o777).toBe(0o700);
  expect(await networkSocketsOf(pid)).toEqual([]);
});

test("it leads a session of its own, where no Ctrl-C meant for us reaches it", async () => {
  await using dataDir = await makeDataDir();

  const { pid } = await dataDir.start();

  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const [, , group, session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  expect([group, session]).toEqual([`${pid}`, `${pid}`]);
});

test("stop ends it, and leaves no pid file", async () => {
  await using dataDir = await makeDataDir();
  const server = await dataDir.start();

  await server.stop();

  expect(await readdir(`${dataDir.path}/postgres/data`)).not.toContain("postmaster.pid");
  await expect(query(server.url, "SELECT 1")).rejects.toThrow();
});

test("a path that is too long for a socket gets a private folder elsewhere", async () => {
  await using dataDir = await makeDataDir("d".repeat(90));

  const { url } = await dataDir.start();

  const folder = new URL(url).searchParams.get("host") ?? "";
  expect(folder).not.toContain("ddd");
  expect((await lstat(folder)).mode & 0o777).toBe(0o700);
  expect(await query(url, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
});

test("data of another major version is refused with a sentence", async () => {
  await using dataDir = await makeDataDir();
  await (await dataDir.start()).stop();
  await writeFile(`${dataDir.path}/postgres/data/PG_VERSION`, "17\n");

  const refused = dataDir.start();

  await expect(refused).rejects.toThrow(/is of Postgres 17, and this fastlane brings Postgres 18/);
});

test.if(isRoot)("as root it runs as another user, in no group of root's", async () => {
  await using dataDir = await makeDataDir();

  const { pid } = await dataDir.start();

  const status = await readFile(`/proc/${pid}/status`, "utf8");
  expect(status).not.toMatch(/^Uid:.*\b0\b/m);
  expect(status).not.toMatch(/^Gid:.*\b0\b/m);
  expect(status).not.toMatch(/^Groups:.*\b0\b/m);
});

test.if(isRoot)("as root it runs as the owner of the data that is there", async () => {
  await using dataDir = await makeDataDir();
  const data = `${dataDir.path}/postgres/data`;
  const first = await dataDir.start();
  const { uid } = await lstat(data);
  await first.stop();

  const { pid } = await dataDir.start();

  expect((await lstat(`/proc/${pid}`)).uid).toBe(uid);
});

test.if(isRoot)("the programs work whatever our umask", async () => {
  await using dataDir = await makeDataDir();
  await mkdir(dataDir.path);
  const umask = process.umask(0o077);

  const started = await dataDir.start().finally(() => process.umask(umask));

  expect(await query(started.url, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
});

test.if(isRoot)("a folder that is closed to Postgres' user is named", async () => {
  await using dataDir = await makeDataDir();
  const closed = dirname(dataDir.path);
  await chmod(closed, 0o700);

  const refused = dataDir.start();

  await expect(refused).rejects.toThrow(`"${closed}" is closed to it`);
});

async function networkSocketsOf(pid: number): Promise<string[]> {
  const names = await readdir(`/proc/${pid}/fd`);
  const files = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`)));
  const inodes = new Set(files.map((file) => /^socket:\[(\d+)\]$/.exec(file)?.[1]));
  const tables = ["tcp", "tcp6", "udp", "udp6"].map((name) =>
    readFile(`/proc/${pid}/net/${name}`, "utf8").catch(() => ""),
  );
  const lines = (await Promise.all(tables)).flatMap((table) => table.trim().split("\n").slice(1));
  return lines.filter((line) => inodes.has(line.trim().split(/\s+/)[9]));
}
