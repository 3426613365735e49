// Renews the table of keys in docs/configuration.md from the schema.
import { keyNotes } from "../src/config/key-notes.ts";
import { SECTIONS } from "../src/config/schema.ts";
import { type Schema, shapeOf } from "../src/config/shape.ts";

const DOCS = new URL("../docs/configuration.md", import.meta.url).pathname;
const BEGIN =
  "<!-- The table is made by `node_modules/.bin/bun scripts/configuration-table.ts`. -->\n";
const END = "<!-- The end of the table. -->\n";

/** The docs with the table as it is to be. */
export function withTable(docs: string): string {
  const [before = "", rest = ""] = docs.split(BEGIN);
  const [, after = ""] = rest.split(END);
  const entries = SECTIONS.flatMap(({ keys }) => Object.entries<Schema>(keys));
  const rows = entries.flatMap(([name, schema]) => rowsOf(name, schema));
  const head = ["| key | default | allowed | meaning |", "| --- | --- | --- | --- |"];
  return `${before}${BEGIN}\n${[...head, ...rows].join("\n")}\n\n${END}${after}`;
}

function rowsOf(name: string, schema: Schema): string[] {
  const { description, rule, fallback, otherwise, insteadOf, needed } = keyNotes(schema);
  const shape = shapeOf(schema);
  const none = needed ? "must be given" : "none";
  const isList = shape.kind === "list" && fallback === "[]";
  const own = fallback === null || isList ? none : `\`${fallback}\``;
  const isTable = fallback === "{}" || (fallback === null && shape.kind === "table");
  const cells = [
    `\`${name}\``,
    otherwise ?? (isTable ? "" : own),
    rule ?? "",
    insteadOf === null ? description : `${description}, in place of \`${insteadOf}\``,
  ];
  return [
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`,
    ...inner(name, schema),
  ];
}

function inner(name: string, schema: Schema): string[] {
  const shape = shapeOf(schema);
  if (shape.kind === "list") return inner(`${name}[]`, shape.item);
  if (shape.kind === "named") return inner(`${name}.NAME`, shape.value);
  if (shape.kind === "value") return [];
  return Object.entries(shape.entries).flatMap(([key, entry]) => rowsOf(`${name}.${key}`, entry));
}

if (import.meta.main) await Bun.write(DOCS, withTable(await Bun.file(DOCS).text()));
