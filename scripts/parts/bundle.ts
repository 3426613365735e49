// How fastlane is bundled, for the binary and for the list of what is in it.
import { dirname, resolve } from "node:path";
import type { BunPlugin } from "bun";
import { version } from "../../package.json" with { type: "json" };

export const ROOT = dirname(dirname(import.meta.dir));
export const VERSION = version;

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
    define: {
      FASTLANE_VERSION: JSON.stringify(version),
      // Bun would write where the project was built into each module that names them.
      __dirname: JSON.stringify("/nowhere"),
      __filename: JSON.stringify("/nowhere/module.js"),
    },
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

/** The folders of the npm packages that have a file in the bundle. */
export async function bundledPackages(entry: string, target: "bun" | "browser"): Promise<string[]> {
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
