// Makes dist/fastlane.mjs, the same program for Node 20 and later, and beside it the Postgres that
// it brings; `bun scripts/build-node.ts ENTRY OUTFILE` makes another program so.
import { copyFile, rename } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { bundleForNode, ROOT } from "./parts/bundle.ts";

const MAIN = `${ROOT}/src/node/main.ts`;
const [entry = MAIN, outfile = `${ROOT}/dist/fastlane.mjs`] = process.argv.slice(2);

const unfinished = `${resolve(outfile)}.part`;
await Bun.write(unfinished, await bundleForNode(entry));
await rename(unfinished, resolve(outfile));
if (entry === MAIN) {
  await copyFile(
    `${ROOT}/build/postgres.tar.zst`,
    `${dirname(resolve(outfile))}/fastlane-postgres-linux-x64.tar.zst`,
  );
}
