import { afterAll, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";

const ROOT = new URL("../../", import.meta.url).pathname;
const SOURCES = ["src", "drizzle", "scripts", "licenses", "package.json", "package-lock.json"];
// On the same file system, for links in place of copies of node_modules.
await mkdir(`${ROOT}build`, { recursive: true });
const work = await mkdtemp(`${ROOT}build/reproduced-`);
afterAll(() => rm(work, { recursive: true, force: true }));

test("two builds of the same sources, in other folders at other times, are equal", async () => {
  const first = await build("one", "UTC");
  const second = await build("another/and/deeper", "Asia/Tokyo");

  expect(second).toEqual(first);
});

/** The sums of the programs, of their Postgres and of the licences, all made from nothing. */
async function build(name: string, timeZone: string): Promise<Record<string, string>> {
  const folder = `${work}/${name}`;
  await mkdir(folder, { recursive: true });
  execFileSync("cp", ["-a", ...SOURCES.map((source) => ROOT + source), folder]);
  execFileSync("cp", ["-al", `${ROOT}node_modules`, folder]);
  for (const script of [
    "build-postgres-archive",
    "build-page",
    "licenses",
    "build",
    "build-node",
  ]) {
    execFileSync(process.execPath, [`scripts/${script}.ts`], {
      cwd: folder,
      env: { PATH: process.env["PATH"] ?? "", TZ: timeZone },
    });
  }
  const made = [
    "dist/fastlane",
    "dist/fastlane.mjs",
    "build/postgres.tar.zst",
    "build/THIRD-PARTY-LICENSES.txt",
  ];
  const sums = await Promise.all(made.map((path) => sumOf(`${folder}/${path}`)));
  await rm(folder, { recursive: true });
  return Object.fromEntries(made.map((path, index) => [path, sums[index] ?? ""]));
}

async function sumOf(path: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
}
