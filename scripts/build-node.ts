// Makes dist/fastlane.mjs, the same program for Node 20 and later, and beside it the Postgres that
// it brings; `bun scripts/build-node.ts ENTRY OUTFILE` makes another program so.
import { copyFile, rename } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { version } from "../package.json" with { type: "json" };
import { stubs } from "./stubs.ts";

const ROOT = dirname(import.meta.dir);
const MAIN = `${ROOT}/src/node/main.ts`;
const [entry = MAIN, outfile = `${ROOT}/dist/fastlane.mjs`] = process.argv.slice(2);

const { outputs } = await Bun.build({
  entrypoints: [resolve(entry)],
  target: "node",
  format: "esm",
  define: { FASTLANE_VERSION: JSON.stringify(version) },
  plugins: [stubs],
});
const [bundle] = outputs;
if (bundle === undefined) throw new Error(`Cannot build ${outfile}: there is no output`);
const unfinished = `${resolve(outfile)}.part`;
await Bun.write(unfinished, `#!/usr/bin/env node\n${await bundle.text()}`);
await rename(unfinished, resolve(outfile));
if (entry === MAIN) {
  await copyFile(
    `${ROOT}/build/postgres.tar.zst`,
    `${dirname(resolve(outfile))}/fastlane-postgres-linux-x64.tar.zst`,
  );
}
