// Renews the table of keys in docs/payload.md from the schema that the API's own document has.
import { meaningOf, typeOf } from "../src/http/openapi/page-schema.ts";
import { namedSchemas, type Schema } from "../src/http/openapi/schemas.ts";

const DOCS = new URL("../docs/payload.md", import.meta.url).pathname;
const BEGIN = "<!-- The table is made by `node_modules/.bin/bun scripts/payload-table.ts`. -->\n";
const END = "<!-- The end of the table. -->\n";

/** The docs with the table as it is to be. */
export async function withTable(docs: string): Promise<string> {
  const [before = "", rest = ""] = docs.split(BEGIN);
  const [, after = ""] = rest.split(END);
  const { JobPayload, Webhook } = namedSchemas();
  const rows = [...(await rowsOf(JobPayload, "")), ...(await rowsOf(Webhook, "webhooks.EVENT[]."))];
  const head = ["| key | allowed | meaning |", "| --- | --- | --- |"];
  return `${before}${BEGIN}\n${[...head, ...rows].join("\n")}\n\n${END}${after}`;
}

/** A row for each key, and behind it those of the keys inside it. */
async function rowsOf({ properties = {}, required = [] }: Schema, prefix: string) {
  const rows: string[] = [];
  for (const [name, property] of Object.entries(properties)) {
    if (typeof property === "boolean") continue;
    const needed = required.includes(name) ? "must be given: " : "";
    const cells = [
      `\`${prefix}${name}\``,
      `${needed}${markdown(String(await typeOf(property)))}`,
      markdown(String(await meaningOf(property))),
    ];
    rows.push(`| ${cells.join(" | ")} |`, ...(await rowsOf(property, `${prefix}${name}.`)));
  }
  return rows;
}

const CHARACTERS: Record<string, string> = { lt: "<", gt: ">", quot: '"', "#39": "'", amp: "&" };

/** What the page of the API says in HTML, for a cell of a table. */
function markdown(html: string): string {
  return html
    .replaceAll(/<\/?code>/g, "`")
    .replaceAll(/<a href="[^"]*">(\w+)<\/a>/g, "$1")
    .replaceAll(/&(#?\w+);/g, (whole, name: string) => CHARACTERS[name] ?? whole)
    .replaceAll("|", "\\|");
}

if (import.meta.main) await Bun.write(DOCS, await withTable(await Bun.file(DOCS).text()));
