import { notesOf } from "./key.ts";
import { isTableKey, type KeyNotes, keyNotes } from "./key-notes.ts";
import { SECTIONS } from "./schema.ts";
import { type Schema, shapeOf } from "./shape.ts";
import { tomlName } from "./toml-value.ts";

const WIDTH = 100;

const HEAD = [
  "The configuration of fastlane, with every key: its default, or an example where it has none.",
  'To set one, take the "# " before it away, and that before the name of its table where it is in one.',
  'A key with "or" before it goes in place of another. `fastlane config --check FILE` tells what is wrong.',
];

/** The commented file that says nothing but the defaults, made from what checks it. */
export function defaultFile(): string {
  const sections = SECTIONS.map(({ title, keys }) => {
    const entries: [string, Schema][] = Object.entries(keys);
    return { title, keys: entries };
  });
  const values = sections.map(({ title, keys }) => ({
    title,
    lines: keys.filter(([, schema]) => !isTableKey(schema)).flatMap((entry) => keyLines(...entry)),
  }));
  // Whatever follows the name of a table belongs to it, up to the next one.
  const tables = sections.map(({ title, keys }) => ({
    title,
    lines: keys
      .filter(([, schema]) => isTableKey(schema))
      .flatMap(([name, schema]) => tableLines(name, schema)),
  }));
  const parts = [...values, ...tables].filter(({ lines }) => lines.length > 0);
  return [
    ...HEAD.flatMap(comment),
    ...parts.flatMap(({ title, lines }) => ["", `#### ${title} ####`, ...lines]),
    "",
  ].join("\n");
}

function keyLines(name: string, schema: Schema, isExample = false): string[] {
  const notes = keyNotes(schema);
  const empty = notes.fallback === "[]";
  const value = isExample && empty ? notes.example : (notes.fallback ?? notes.example);
  const or = notes.insteadOf === null ? "" : "or ";
  return ["", ...comment(proseOf(notes, empty)), `# ${or}${name} = ${value ?? '""'}`];
}

/** A sentence of what it means, one of what is allowed, and one of what counts without it. */
function proseOf(
  { description, rule, fallback, otherwise, example, insteadOf, needed }: KeyNotes,
  isEmpty: boolean,
): string {
  const such = isEmpty && example !== null ? `, such as ${example}` : "";
  const none = needed ? "Must be given" : "None by default";
  const without = otherwise === null ? none : `Without it: ${otherwise}`;
  const sentences = [
    insteadOf === null ? description : `${description}, in place of ${insteadOf}`,
    rule === null ? null : `${capital(rule)}${such}`,
    (fallback === null || otherwise !== null) && insteadOf === null ? without : null,
  ];
  return sentences
    .filter((sentence) => sentence !== null)
    .map((sentence) => `${sentence}.`)
    .join(" ");
}

function tableLines(name: string, schema: Schema): string[] {
  const { description } = keyNotes(schema);
  const { otherwise, names = {} } = notesOf(schema);
  const without = otherwise === undefined ? "" : ` Without it: ${otherwise}.`;
  const prose = ["", ...comment(`${description}.${without}`)];
  const shape = shapeOf(schema);
  if (shape.kind === "table") {
    return [...prose, `# [${name}]`, ...entriesLines(name, shape.entries, false)];
  }
  if (shape.kind === "list") {
    return [...prose, `# [[${name}]]`, ...entriesLines(name, entriesOf(shape.item), true)];
  }
  if (shape.kind !== "named") return [];
  const entries = entriesOf(shape.value);
  const told = new Set<string>();
  return [
    ...prose,
    ...Object.entries(names).flatMap(([example, keys], index) => {
      const here = Object.entries(entries).filter(([key]) => keys.includes(key));
      const lines = here.flatMap(([key, entry]) => {
        const all = keyLines(key, entry, true);
        return told.has(key) ? all.slice(-1) : all;
      });
      for (const key of keys) told.add(key);
      return [...(index === 0 ? [] : [""]), `# [${name}.${tomlName(example)}]`, ...lines];
    }),
  ];
}

function entriesLines(
  table: string,
  entries: Readonly<Record<string, Schema>>,
  isExample: boolean,
): string[] {
  const all = Object.entries(entries);
  return [
    ...all
      .filter(([, schema]) => !isTableKey(schema))
      .flatMap(([name, schema]) => keyLines(name, schema, isExample)),
    ...all
      .filter(([, schema]) => isTableKey(schema))
      .flatMap(([name, schema]) => tableLines(`${table}.${name}`, schema)),
  ];
}

function entriesOf(schema: Schema): Readonly<Record<string, Schema>> {
  const shape = shapeOf(schema);
  return shape.kind === "table" ? shape.entries : {};
}

/** A word that is no address or quoted value begins the sentence. */
const capital = (text: string) =>
  text.replace(/^[a-z]+(?= )/, (word) => `${word[0]?.toUpperCase()}${word.slice(1)}`);

function comment(text: string): string[] {
  const lines: string[] = [];
  // A line that begins with a bracket would look like the name of a table.
  for (const word of text.split(/ (?!\[)/)) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length >= WIDTH) lines.push(`# ${word}`);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
