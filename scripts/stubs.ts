import type { BunPlugin } from "bun";

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

export const stubs: BunPlugin = {
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
