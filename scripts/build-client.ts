// Makes dist/client, the typed client: the program, and its types written out by the compiler.
import { mkdir, rm } from "node:fs/promises";
import { dirname } from "node:path";

const ROOT = dirname(import.meta.dir);
const TYPES = `${ROOT}/build/types/src`;
const CLIENT = `${ROOT}/dist/client`;
/** Unions keep their names; the rooms that may have such a name import nothing but each other. */
const REFERENCE = /import\("\.\.\/((?:core|payload)\/[\w-]+)\.ts"\)/g;

await rm(TYPES, { recursive: true, force: true });
await Bun.$`node_modules/.bin/tsc -p src/sdk`.cwd(ROOT);
await rm(CLIENT, { recursive: true, force: true });
await mkdir(`${CLIENT}/core`, { recursive: true });
await write("client", await declared("sdk/client"));
const schema = await declared("sdk/schema");
await write("schema", schema.replaceAll(REFERENCE, 'import("./$1.js")'));
for (const name of new Set([...schema.matchAll(REFERENCE)].map(([, name = ""]) => name))) {
  await write(name, await declared(name));
}
await Bun.build({
  entrypoints: [`${ROOT}/src/sdk/client.ts`],
  outdir: CLIENT,
  target: "node",
  format: "esm",
});

async function declared(name: string): Promise<string> {
  return await Bun.file(`${TYPES}/${name}.d.ts`).text();
}

async function write(name: string, text: string): Promise<void> {
  await Bun.write(`${CLIENT}/${name}.d.ts`, text.replaceAll(/"(\.\.?\/[^"]+)\.ts"/g, '"$1.js"'));
}
