// Makes a release's binaries with their lists of parts, and the licences; `bun scripts/release.ts
// FOLDER PLATFORM...` makes those alone, elsewhere. scripts/release calls this and adds the sums.
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { compile, ROOT } from "./parts/bundle.ts";
import { componentsOf, licensesText } from "./parts/components.ts";
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
for (const platform of platforms) await makeBinary(platform);

async function makeBinary(platform: Platform): Promise<void> {
  const began = performance.now();
  const fileName = `fastlane-${platform.name}`;
  const outfile = `${folder}/${fileName}`;
  await compile({
    entry: `${ROOT}/src/main.ts`,
    outfile,
    archive: await postgresArchive(platform),
    target: platform.target,
    runtime: `${await packageFolder(platform.bun, "bin/bun")}/bin/bun`,
  });
  // The map is in the binary as well.
  await rm(`${outfile}.map`, { force: true });
  if (platform.name === "macos-x64") await unsign(outfile);
  const binary = await Bun.file(outfile).bytes();
  const sha256 = createHash("sha256").update(binary).digest("hex");
  const components = await componentsOf(platform);
  await Bun.write(`${outfile}.cdx.json`, sbomOf({ fileName, sha256, components }));
  const seconds = ((performance.now() - began) / 1_000).toFixed(0);
  process.stdout.write(`${fileName}: ${(binary.length / 1e6).toFixed(0)} MB, ${seconds} s\n`);
}

async function unsign(path: string): Promise<void> {
  await writeFile(path, withoutSignature(await readFile(path)));
}
