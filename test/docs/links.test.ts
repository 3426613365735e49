import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { Glob } from "bun";

const ROOT = new URL("../../", import.meta.url).pathname;
const docs = [...new Glob("docs/**/*.md").scanSync(ROOT)].sort();
const LINK = /\[[^\]]*\]\(([^)\s]+)\)/g;
const ELSEWHERE = /^[a-z]+:/;

test.each(["README.md", ...docs])("the links of %s lead somewhere", async (page) => {
  const nowhere: string[] = [];
  for (const link of await linksOf(page)) if (!(await leads(page, link))) nowhere.push(link);

  expect(nowhere).toEqual([]);
});

test("every page is in the table of contents", async () => {
  const links = await linksOf("docs/README.md");

  const named = links.map((link) => normalize(join("docs", link.replace(/#.*/, ""))));
  expect(docs.filter((page) => page !== "docs/README.md" && !named.includes(page))).toEqual([]);
});

async function linksOf(page: string): Promise<string[]> {
  const text = proseOf(await readFile(join(ROOT, page), "utf8"));
  return [...text.matchAll(LINK)]
    .map(([, link = ""]) => link)
    .filter((link) => !ELSEWHERE.test(link));
}

/** Without blocks and words of code, where brackets are no links. */
const proseOf = (text: string) =>
  text.replaceAll(/^\s*```.*?^\s*```$/gms, "").replaceAll(/`[^`\n]*`/g, "");

async function leads(page: string, link: string): Promise<boolean> {
  const [path = "", heading] = link.split("#");
  const file = path === "" ? page : normalize(join(dirname(page), path));
  if (!existsSync(join(ROOT, file))) return false;
  if (heading === undefined) return true;
  const text = await readFile(join(ROOT, file), "utf8");
  return anchorsOf(text).includes(heading);
}

/** As GitHub makes them of headings. */
function anchorsOf(text: string): string[] {
  const headings = text.replaceAll(/^\s*```.*?^\s*```$/gms, "").matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replaceAll(" ", "-"),
  );
}
