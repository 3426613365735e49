// Other platforms' packages, which npm does not install here.
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { ROOT } from "./bundle.ts";

// No package of package-lock.json asks for them; `npm view NAME@VERSION dist.integrity` tells.
const NOT_LOCKED: Record<string, { version: string; integrity: string }> = {
  "@oven/bun-linux-x64-baseline": {
    version: "1.4.5",
    integrity:
      "sha512-s8yMwYcFnnrA178gji0gZbkE2WVDej/Ti1x770oPfihxyRxSMNhGhiAQNXV53aDeraZxksdvKV/RAdQBCd0qPA==",
  },
};
const CACHE = `${ROOT}/build/packages`;

/**
 * A package's folder, in the version of package-lock.json, whose integrity it is held to.
 *
 * @param file What is wanted of it: Bun moves its executable out of the package for this machine.
 */
export async function packageFolder(name: string, file: string): Promise<string> {
  const { version, integrity } = await lockedPackage(name);
  const installed = `${ROOT}/node_modules/${name}`;
  const there = await readFile(`${installed}/package.json`, "utf8").catch(() => "{}");
  const isWhole = (await stat(`${installed}/${file}`).catch(() => null)) !== null;
  if (isWhole && JSON.parse(there).version === version) return installed;
  const folder = `${CACHE}/${name}-${version}`;
  if ((await stat(folder).catch(() => null)) === null)
    await fetchTo(folder, name, version, integrity);
  return folder;
}

async function lockedPackage(name: string): Promise<{ version: string; integrity: string }> {
  const { packages } = JSON.parse(await readFile(`${ROOT}/package-lock.json`, "utf8"));
  const locked = packages[`node_modules/${name}`] ?? NOT_LOCKED[name];
  if (typeof locked?.integrity !== "string")
    throw new Error(`Cannot fetch "${name}": package-lock.json has no integrity for it`);
  if (name.startsWith("@oven/") && locked.version !== Bun.version)
    throw new Error(`Cannot use "${name}" ${locked.version}: this is Bun ${Bun.version}`);
  return locked;
}

async function fetchTo(
  folder: string,
  name: string,
  version: string,
  integrity: string,
): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const work = await mkdtemp(`${CACHE}/unfinished-`);
  try {
    await run(["npm", "pack", "--silent", "--pack-destination", work, `${name}@${version}`]);
    const [packed = ""] = [...new Bun.Glob("*.tgz").scanSync({ cwd: work, absolute: true })];
    const sum = `sha512-${createHash("sha512")
      .update(await readFile(packed))
      .digest("base64")}`;
    if (sum !== integrity) {
      throw new Error(
        `Cannot use "${name}" ${version}: its integrity is "${sum}", and package-lock.json's "${integrity}"`,
      );
    }
    await run(["tar", "-xzf", packed, "-C", work]);
    await mkdir(dirname(folder), { recursive: true });
    await rename(`${work}/package`, folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function run(command: string[]): Promise<void> {
  const child = Bun.spawn(command, { cwd: ROOT, stdout: "ignore", stderr: "pipe" });
  const [words, code] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  if (code !== 0) throw new Error(`Cannot run "${command.join(" ")}": ${words.trim()}`);
}
