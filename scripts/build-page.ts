// Makes build/page/, the script and the style of the page that shows logs; `bun scripts/build-page.ts
// FOLDER` makes them elsewhere.
import { resolve } from "node:path";

const ROOT = `${import.meta.dir}/..`;
const [folder = `${ROOT}/build/page`] = process.argv.slice(2);

await Bun.build({
  entrypoints: [`${ROOT}/src/page/stream.ts`],
  outdir: resolve(folder),
  target: "browser",
  format: "iife",
  minify: true,
});
// As it is: Bun would write light-dark() in a way that older browsers understand, and scripts do not.
await Bun.write(`${resolve(folder)}/stream.css`, Bun.file(`${ROOT}/src/page/stream.css`));
