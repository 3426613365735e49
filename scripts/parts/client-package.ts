// The typed client as an npm package, so that `npm install FILE` gives `fastlane/client`.
import { readdir, readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import manifest from "../../package.json" with { type: "json" };
import { ROOT } from "./bundle.ts";

// The same bytes whenever it is made.
const NO_TIME = new Date(0);

/** A package of dist/client, in the form that npm takes; equal files give equal bytes. */
export async function clientPackage(): Promise<Buffer> {
  const { name, version, license, type, exports, dependencies } = manifest;
  const own = {
    name,
    version,
    description: "The typed client of fastlane",
    license,
    type,
    exports,
    // Its types are made of hono's.
    dependencies: { hono: dependencies.hono },
  };
  const archive = pack();
  const read = buffer(archive);
  archive.entry(
    { name: "package/package.json", mtime: NO_TIME },
    `${JSON.stringify(own, null, 2)}\n`,
  );
  const files = await readdir(`${ROOT}/dist/client`, { recursive: true, withFileTypes: true });
  const paths = files
    .filter((file) => file.isFile())
    .map((file) => `${file.parentPath}/${file.name}`);
  for (const path of paths.sort()) {
    const below = `package${path.slice(ROOT.length)}`;
    archive.entry({ name: below, mtime: NO_TIME }, await readFile(path));
  }
  archive.finalize();
  return gzipSync(await read, { level: 9 });
}
