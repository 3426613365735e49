// Compiles dist/fastlane; `bun scripts/build.ts ENTRY OUTFILE` compiles another program so.
import { rename, rm } from "node:fs/promises";
import { resolve } from "node:path";
import { compile, ROOT } from "./parts/bundle.ts";

const [entry = `${ROOT}/src/main.ts`, outfile = `${ROOT}/dist/fastlane`] = process.argv.slice(2);

// Whoever is killed in the middle must not leave half a binary that looks up to date; and one that
// runs is not written over.
const unfinished = `${resolve(outfile)}.part`;
await compile({ entry, outfile: unfinished });
// The map is in the binary as well.
await rm(`${unfinished}.map`, { force: true });
await rename(unfinished, resolve(outfile)).catch(async (error) => {
  await rm(unfinished, { force: true });
  throw error;
});
