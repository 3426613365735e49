// Compiles dist/fastlane; `bun scripts/build.ts ENTRY OUTFILE` compiles another program so.
import { rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { BunPlugin } from "bun";
import { version } from "../package.json" with { type: "json" };

const ROOT = dirname(import.meta.dir);
const [entry = `${ROOT}/src/main.ts`, outfile = `${ROOT}/dist/fastlane`] = process.argv.slice(2);

// What would be looked for at run time, in places that are not ours: graphile-worker runs
// configuration files of the working directory through cosmiconfig, which wants a TypeScript
// compiler; ssh2 and docker-modem have a slower way without their native addons.
const STUBS: Record<string, string> = {
  cosmiconfig: "export const cosmiconfigSync = () => ({ search: () => null });",
  typescript: "throw new Error('Cannot load typescript: it is not in the binary');",
  "cpu-features": "throw new Error('Cannot load cpu-features: it is not in the binary');",
  "./crypto/build/Release/sshcrypto.node":
    "throw new Error('Cannot load sshcrypto: it is not in the binary');",
};

const stubs: BunPlugin = {
  name: "stubs",
  setup(build) {
    const names = Object.keys(STUBS).map((name) => name.replaceAll(/[./]/g, "\\$&"));
    build.onResolve({ filter: new RegExp(`^(${names.join("|")})$`) }, ({ path }) => ({
      path,
      namespace: "stub",
    }));
    build.onLoad({ filter: /.*/, namespace: "stub" }, ({ path }) => ({
      contents: STUBS[path] ?? "",
      loader: "js",
    }));
  },
};

// Whoever is killed in the middle must not leave half a binary that looks up to date; and one that
// runs is not written over.
const unfinished = `${resolve(outfile)}.part`;
await Bun.build({
  entrypoints: [resolve(entry)],
  target: "bun",
  sourcemap: "inline",
  minify: { whitespace: true, syntax: true, identifiers: false },
  define: { FASTLANE_VERSION: JSON.stringify(version) },
  plugins: [stubs],
  compile: {
    outfile: unfinished,
    autoloadDotenv: false,
    autoloadBunfig: false,
    autoloadTsconfig: false,
    autoloadPackageJson: false,
  },
});
// The map is in the binary as well.
await rm(`${unfinished}.map`, { force: true });
await rename(unfinished, resolve(outfile)).catch(async (error) => {
  await rm(unfinished, { force: true });
  throw error;
});
