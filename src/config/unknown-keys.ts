import { nearestOf, plain } from "./did-you-mean.ts";
import { type Fault, nameOf, type Path } from "./fault.ts";
import { isTable, type Schema, shapeOf, visit } from "./shape.ts";

/** Its tables have keys that depend on their names. */
const CHECKED_ELSEWHERE = "hostAccess";
/** The schema's library passes over these. */
const NO_NAMES = ["__proto__", "constructor", "prototype"];
const MOST_KEYS_NAMED = 12;

/** What the schema does not have, and what is no table where it has one. */
export function unknownKeys(whole: Schema, values: unknown): Fault[] {
  const everywhere = [...visitedTables(whole)];
  return [...visit({ at: [], schema: whole, value: values })].flatMap(({ at, schema, value }) => {
    const shape = shapeOf(schema);
    if (shape.kind !== "table" && shape.kind !== "named") return [];
    // Lists and dates are objects as well.
    if (!isTable(value)) return [{ at, says: shape.wrong }];
    if (shape.kind === "named") {
      return NO_NAMES.filter((name) => Object.hasOwn(value, name)).map((name) => ({
        at: [...at, name],
        says: "is no name that a table here can have",
      }));
    }
    if (at[0] === CHECKED_ELSEWHERE) return [];
    const known = Object.keys(shape.entries);
    return Object.keys(value)
      .filter((name) => !known.includes(name))
      .map((name) => noKey([...at, name], known, everywhere));
  });
}

/** @param tables All that there are, by their paths, to find a key that stands in another one. */
export function noKey(
  at: Path,
  known: readonly string[],
  tables: readonly (readonly [string, readonly string[]])[] = [],
): Fault {
  const name = String(at.at(-1));
  const nearest = nearestOf(name, known);
  if (nearest !== undefined) return { at, says: `is no key; did you mean ${nearest}?` };
  for (const [table, keys] of tables) {
    const there = keys.find((key) => plain(key) === plain(name));
    if (there === undefined) continue;
    const where = table === "" ? `${there} at the top, before the first table` : `${table}${there}`;
    return { at, says: `is no key here; did you mean ${where}?` };
  }
  const all =
    known.length > MOST_KEYS_NAMED
      ? "`fastlane config` shows those that there are"
      : `the keys are ${known.join(", ")}`;
  return { at, says: `is no key; ${all}` };
}

/** Each table of the schema with its keys, `dockerHosts.0.allow.` for one in a list. */
function* visitedTables(
  schema: Schema,
  at: Path = [],
): Generator<readonly [string, readonly string[]]> {
  const shape = shapeOf(schema);
  if (shape.kind === "list") yield* visitedTables(shape.item, [...at, 0]);
  if (shape.kind === "named") yield* visitedTables(shape.value, [...at, "NAME"]);
  if (shape.kind !== "table") return;
  yield [at.length === 0 ? "" : `${nameOf(at)}.`, Object.keys(shape.entries)];
  for (const [name, entry] of Object.entries(shape.entries)) {
    yield* visitedTables(entry, [...at, name]);
  }
}
