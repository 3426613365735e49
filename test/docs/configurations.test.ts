import { expect, test } from "bun:test";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Glob } from "bun";
import { ConfigError } from "../../src/config/fault.ts";
import { checkedConfig } from "../../src/config/load.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const pages = ["README.md", ...[...new Glob("docs/**/*.md").scanSync(ROOT)].sort()];
/** What lacks where the example is read, as opposed to what is wrong with it. */
const NOT_THERE = /cannot be read|there is none|ENOENT/;

test.each(pages)("a configuration in %s is one that fastlane takes", async (page) => {
  const text = await readFile(join(ROOT, page), "utf8");
  const folder = await mkdtemp(join(tmpdir(), "fastlane-toml-"));
  const configFile = join(folder, "fastlane.toml");
  try {
    for (const [, toml = ""] of text.matchAll(/^```toml\n(.*?)^```$/gms)) {
      await writeFile(configFile, toml);
      expect(faultsOf(configFile), toml).toEqual([]);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

function faultsOf(configFile: string): string[] {
  try {
    checkedConfig({ environment: {}, flags: {}, configFile });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.faults.filter((fault) => !NOT_THERE.test(fault));
  }
}
