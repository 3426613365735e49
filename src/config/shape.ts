import type * as v from "valibot";
import type { Path } from "./fault.ts";

export type Schema = v.BaseSchema<unknown, unknown, v.BaseIssue<unknown>>;

/** What a schema of ours is made of, without what is optional or checked about it. */
export type Shape =
  | { kind: "table"; entries: Readonly<Record<string, Schema>>; wrong: string }
  | { kind: "named"; value: Schema; wrong: string }
  | { kind: "list"; item: Schema }
  | { kind: "value"; of: Schema };

interface Parts {
  wrapped?: Schema;
  entries?: Record<string, Schema>;
  value?: Schema;
  item?: Schema;
  message?: unknown;
}

export function shapeOf(schema: Schema & Parts): Shape {
  const { wrapped, entries, value, item, message } = schema;
  const wrong = typeof message === "string" ? message : "must be a table";
  if (wrapped !== undefined) return shapeOf(wrapped);
  if (schema.type === "object" && entries !== undefined) return { kind: "table", entries, wrong };
  if (schema.type === "record" && value !== undefined) return { kind: "named", value, wrong };
  if (schema.type === "array" && item !== undefined) return { kind: "list", item };
  return { kind: "value", of: schema };
}

/** A value that was given, with the schema that it is to obey. */
export interface Visited {
  at: Path;
  schema: Schema;
  value: unknown;
  /** The table's other keys, where it stands in one that has keys of its own. */
  beside?: Readonly<Record<string, Schema>>;
}

/** Every value that the schema knows, from the outside in; the whole first. */
export function* visit(visited: Visited): Generator<Visited> {
  yield visited;
  const { at, schema, value } = visited;
  const shape = shapeOf(schema);
  if (shape.kind === "list" && Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      yield* visit({ at: [...at, index], schema: shape.item, value: item });
    }
  } else if (shape.kind === "named" && isTable(value)) {
    for (const [name, item] of Object.entries(value)) {
      yield* visit({ at: [...at, name], schema: shape.value, value: item });
    }
  } else if (shape.kind === "table" && isTable(value)) {
    const beside = shape.entries;
    for (const [name, schema] of Object.entries(beside)) {
      if (!Object.hasOwn(value, name)) continue;
      yield* visit({ at: [...at, name], schema, value: value[name], beside });
    }
  }
}

/** A table of TOML or JSON: neither a list nor a date. */
export function isTable(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** The entries of a table that are tables themselves. */
export function tablesOf(value: unknown): [string, Record<string, unknown>][] {
  if (!isTable(value) && !Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([name, item]): [string, Record<string, unknown>][] =>
    isTable(item) ? [[name, item]] : [],
  );
}
