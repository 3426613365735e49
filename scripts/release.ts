// Makes a release's binaries and its program for Node with their lists of parts, the licences and the
// package of the client in dist/client; `bun scripts/release.ts FOLDER PLATFORM...` makes those of the
// platforms alone, elsewhere. scripts/release calls this, and adds Debian packages and the sums.
import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { bundleForNode, compile, ROOT, VERSION } from "./parts/bundle.ts";
import { clientPackage } from "./parts/client-package.ts";
import { type Component, componentsOf, licensesText, nodeComponents } from "./parts/components.ts";
import { packageFolder } from "./parts/packages.ts";
import { PLATFORMS, type Platform, platformNamed } from "./parts/platforms.ts";
import { postgresArchive } from "./parts/postgres-archive.ts";
import { sbomOf } from "./parts/sbom.ts";
import { withoutSignature } from "./parts/unsigned.ts";

const [to = `${ROOT}/dist/release`, ...names] = process.argv.slice(2);
const folder = resolve(to);
const platforms = names.length === 0 ? PLATFORMS : names.map(platformNamed);

await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
await Bun.write(`${folder}/THIRD-PARTY-LICENSES.txt`, await licensesText());
await Bun.write(`${folder}/fastlane-client-${VERSION}.tgz`, await clientPackage());
await Bun.write(`${folder}/fastlane.mjs`, await bundleForNode(`${ROOT}/src/node/main.ts`));
await listParts("fastlane.mjs", await nodeComponents());
for (const platform of platforms) await makeBinary(platform);

async function makeBinary(platform: Platform): Promise<void> {
  const began = performance.now();
  const fileName = `fastlane-${platform.name}`;
  const outfile = `${folder}/${fileName}`;
  const archive = await postgresArchive(platform);
  // What fastlane.mjs looks for beside itself.
  await copyFile(archive, `${folder}/fastlane-postgres-${platform.os}-${platform.cpu}.tar.zst`);
  await compile({
    entry: `${ROOT}/src/main.ts`,
    outfile,
    archive,
    target: platform.target,
    runtime: `${await packageFolder(platform.bun, "bin/bun")}/bin/bun`,
  });
  // The map is in the binary as well.
  await rm(`${outfile}.map`, { force: true });
  if (platform.name === "macos-x64") await unsign(outfile);
  await listParts(fileName, await componentsOf(platform));
  const megabytes = (Bun.file(outfile).size / 1e6).toFixed(0);
  const seconds = ((performance.now() - began) / 1_000).toFixed(0);
  process.stdout.write(`${fileName}: ${megabytes} MB, ${seconds} s\n`);
}

async function listParts(fileName: string, components: Component[]): Promise<void> {
  const program = await readFile(`${folder}/${fileName}`);
  const sha256 = createHash("sha256").update(program).digest("hex");
  await Bun.write(`${folder}/${fileName}.cdx.json`, sbomOf({ fileName, sha256, components }));
}

async function unsign(path: string): Promise<void> {
  await writeFile(path, withoutSignature(await readFile(path)));
}
