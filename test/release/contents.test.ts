import { expect, test } from "bun:test";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import { POSTGRES_PARTS } from "../../scripts/parts/bundled.ts";
import {
  componentsOf,
  licensesText,
  nodeComponents,
  titleOf,
} from "../../scripts/parts/components.ts";
import { packageFolder } from "../../scripts/parts/packages.ts";
import { PLATFORMS, platformNamed } from "../../scripts/parts/platforms.ts";
import { neededFiles } from "../../scripts/parts/postgres-archive.ts";
import { sbomOf } from "../../scripts/parts/sbom.ts";
import { run } from "../support/run-fastlane.ts";

const SHA256 = "ab".repeat(32);
const platform = platformNamed("linux-x64");
const components = await componentsOf(platform);
const sbom = sbomOf({ fileName: "fastlane-linux-x64", sha256: SHA256, components });

test("the list of parts is CycloneDX 1.6", async () => {
  const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);

  expect(await validator.validate(sbom)).toBeNull();
});

test("it names the binary by its sum, and what is in it to the libraries of Postgres", () => {
  const { metadata, components: named, serialNumber } = JSON.parse(sbom);

  const parts = (name: string): string[] =>
    named
      .find((component: { name: string }) => component.name === name)
      .components.map((part: { name: string; version?: string }) => `${part.name} ${part.version}`);
  expect(metadata.component.hashes).toEqual([{ alg: "SHA-256", content: SHA256 }]);
  expect(serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab]/);
  expect(parts("postgresql")).toContain("openssl 1.1.1");
  expect(parts("postgresql")).toContain("icu 60.2");
  expect(parts("postgresql")).toContain("libxml2 2.9.4");
  expect(parts("bun").join()).toContain("boringssl");
  expect(named.map(({ name }: { name: string }) => name)).toEqual(
    expect.arrayContaining(["drizzle-orm", "graphile-worker", "hono", "pg", "ssh2", "bun"]),
  );
});

test("it is the same each time, and names each part once", () => {
  const references = [...sbom.matchAll(/"bom-ref": "(.*)"/g)].map(([, reference]) => reference);

  expect(sbomOf({ fileName: "fastlane-linux-x64", sha256: SHA256, components })).toBe(sbom);
  expect(new Set(references).size).toBe(references.length);
  // What the library makes up where two are called the same.
  expect(sbom).not.toContain("BomRef.");
});

test("it names nothing that only making the binary takes", () => {
  const names = components.map(({ name }) => name);

  for (const tool of ["typescript", "knip", "cosmiconfig", "playwright-core", "tar-stream 3.2.2"])
    expect(names).not.toContain(tool);
});

test("every library in the archive of Postgres belongs to a part", async () => {
  const native = `${await packageFolder(platform.postgres, "native")}/native`;
  const files = await neededFiles(native);
  const libraries = files.flatMap((file) => /^lib\/(lib[^/]*)$/.exec(file)?.[1] ?? []);
  const own = [/^libpq[.-]/];

  const beginnings = POSTGRES_PARTS[platform.os].flatMap((part) => part.files ?? []);
  const strangers = libraries.filter(
    (library) =>
      !own.some((pattern) => pattern.test(library)) &&
      !beginnings.some((beginning) => library.startsWith(beginning)),
  );
  expect(strangers).toEqual([]);
  expect(libraries.length).toBeGreaterThan(beginnings.length);
});

test("what Node alone needs is in the list of its program, and in the licences", async () => {
  const titles = (await nodeComponents()).map(titleOf);
  const licences = await licensesText();

  for (const name of ["@hono/node-server", "undici", "ws", "@hpcc-js/wasm-zstd"]) {
    const title = titles.find((each) => each.startsWith(`${name} `));
    expect(licences).toContain(`\n  ${title}: `);
  }
});

test("each part of each program has a text in the licences", async () => {
  const chapters = (await licensesText()).split(`${"=".repeat(79)}\n`).slice(1);
  const lengths = new Map(
    chapters.flatMap((chapter) => {
      const [titles = "", ...paragraphs] = chapter.split("\n\n");
      return titles.split("\n").map((title) => [title, paragraphs.join().length] as const);
    }),
  );

  const components = (await Promise.all([...PLATFORMS.map(componentsOf), nodeComponents()])).flat();
  const without = components.map(titleOf).filter((title) => (lengths.get(title) ?? 0) < 100);
  expect(without).toEqual([]);
  expect(components.length).toBeGreaterThan(500);
});

test("the binary prints them", async () => {
  const { stdout, code } = await run(["licenses"]);

  expect(stdout).toBe(await licensesText());
  expect(code).toBe(0);
});
