// How fastlane is bundled, for the binary and for the list of what is in it.
import { dirname, resolve } from "node:path";
import type { BunPlugin } from "bun";
import { version } from "../../package.json" with { type: "json" };
import { stubs } from "../stubs.ts";

export const ROOT = dirname(dirname(import.meta.dir));
export const VERSION = version;

const DEFINES = {
  FASTLANE_VERSION: JSON.stringify(version),
  // Bun would write where the project was built into each module that names them.
  __dirname: JSON.stringify("/nowhere"),
  __filename: JSON.stringify("/nowhere/module.js"),
};

interface Compilation {
  entry: string;
  outfile: string;
  /** With the Postgres that the binary brings. */
  archive?: string;
  target?: Bun.Build.CompileTarget;
  /** Bun's executable for that target. */
  runtime?: string;
}

/** Writes a program with everything that it needs; equal sources give equal bytes. */
export async function compile(compilation: Compilation): Promise<void> {
  const { archive, target, runtime } = compilation;
  await Bun.build({
    entrypoints: [resolve(compilation.entry)],
    target: "bun",
    sourcemap: "inline",
    minify: { whitespace: true, syntax: true, identifiers: false },
    define: DEFINES,
    plugins: archive === undefined ? [stubs] : [stubs, withArchive(archive)],
    compile: {
      outfile: compilation.outfile,
      ...(target && { target }),
      ...(runtime && { executablePath: runtime }),
      autoloadDotenv: false,
      autoloadBunfig: false,
      autoloadTsconfig: false,
      autoloadPackageJson: false,
    },
  });
}

/** A program for Node, in one file; equal sources give equal text. */
export async function bundleForNode(entry: string): Promise<string> {
  const { outputs } = await Bun.build({
    entrypoints: [resolve(entry)],
    target: "node",
    format: "esm",
    define: DEFINES,
    plugins: [stubs],
  });
  const [bundle] = outputs;
  if (bundle === undefined) throw new Error(`Cannot bundle "${entry}": there is no output`);
  return `#!/usr/bin/env node\n${await bundle.text()}`;
}

/** The folders of the npm packages that have a file in the bundle. */
export async function bundledPackages(
  entry: string,
  target: "bun" | "browser" | "node",
): Promise<string[]> {
  const { metafile } = await Bun.build({
    entrypoints: [entry],
    target,
    metafile: true,
    plugins: [stubs, { name: "no files", setup: leaveFilesOut }],
  });
  if (metafile === undefined) throw new Error(`Cannot list what "${entry}" consists of`);
  const folders = Object.keys(metafile.inputs).flatMap((input) => {
    const found = /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(resolve(input));
    return found === null ? [] : [found[0]];
  });
  return [...new Set(folders)].sort();
}

function withArchive(archive: string): BunPlugin {
  return {
    name: "archive",
    setup(build) {
      build.onResolve({ filter: /\/postgres\.tar\.zst$/ }, () => ({ path: resolve(archive) }));
    },
  };
}

/** What scripts make in build/ may not be there yet, and is of no package. */
function leaveFilesOut(build: Bun.PluginBuilder): void {
  build.onResolve({ filter: /\/build\/[^/]+$|\/build\/page\// }, ({ path }) => ({
    path,
    namespace: "made",
  }));
  build.onLoad({ filter: /.*/, namespace: "made" }, () => ({ contents: "", loader: "text" }));
}
