import { isTable, type Schema, shapeOf } from "./shape.ts";

/** Its tables have keys that depend on their names. */
const CHECKED_ELSEWHERE = "hostAccess";

/** What is said of each key that the schema does not have. */
export function unknownKeys(schema: Schema, value: unknown, prefix = ""): string[] {
  const shape = shapeOf(schema);
  if (shape.kind === "list" && Array.isArray(value)) {
    return value.flatMap((item, index) => unknownKeys(shape.item, item, `${prefix}${index}.`));
  }
  if (shape.kind === "named" && isTable(value)) {
    return Object.entries(value).flatMap(([name, item]) =>
      unknownKeys(shape.value, item, `${prefix}${name}.`),
    );
  }
  if (shape.kind !== "table" || !isTable(value)) return [];
  const { entries } = shape;
  return Object.entries(value).flatMap(([name, item]) => {
    const entry = Object.hasOwn(entries, name) ? entries[name] : undefined;
    if (entry !== undefined) {
      return name === CHECKED_ELSEWHERE ? [] : unknownKeys(entry, item, `${prefix}${name}.`);
    }
    return [`${prefix}${name} is no key; the keys are ${Object.keys(entries).join(", ")}`];
  });
}

/** The entries of a table that are tables themselves. */
export function tablesOf(value: unknown): [string, object][] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).filter(
    (entry): entry is [string, object] => typeof entry[1] === "object" && entry[1] !== null,
  );
}
