// Renews the table of metrics in docs/metrics.md from what is registered.
import { createMetrics, type Family } from "../src/metrics/metrics.ts";

const DOCS = new URL("../docs/metrics.md", import.meta.url).pathname;
const BEGIN = "<!-- The table is made by `node_modules/.bin/bun scripts/metrics-table.ts`. -->\n";
const END = "<!-- The end of the table. -->\n";

/** The docs with the table as it is to be. */
export function withMetricsTable(docs: string): string {
  const [before = "", rest = ""] = docs.split(BEGIN);
  const [, after = ""] = rest.split(END);
  const head = ["| metric | kind | labels | meaning |", "| --- | --- | --- | --- |"];
  return `${before}${BEGIN}\n${[...head, ...families().map(rowOf)].join("\n")}\n\n${END}${after}`;
}

/** What a fastlane tells of, whatever has happened in it. */
export function families(): Family[] {
  const numbers = () => Promise.reject(new Error("There is no Postgres here"));
  return createMetrics({ version: "", pools: () => [], numbers }).families();
}

function rowOf({ name, type, labels, help }: Family): string {
  const named = labels.map((label) => `\`${label}\``).join(", ");
  return `| \`${name}\` | ${type} | ${named} | ${help.replaceAll("|", "\\|")} |`;
}

if (import.meta.main) await Bun.write(DOCS, withMetricsTable(await Bun.file(DOCS).text()));
