import type * as v from "valibot";

export type Schema = v.BaseSchema<unknown, unknown, v.BaseIssue<unknown>>;

/** What a schema of ours is made of, without what is optional or checked about it. */
export type Shape =
  | { kind: "table"; entries: Readonly<Record<string, Schema>> }
  | { kind: "named"; value: Schema }
  | { kind: "list"; item: Schema }
  | { kind: "value" };

interface Parts {
  wrapped?: Schema;
  entries?: Record<string, Schema>;
  value?: Schema;
  item?: Schema;
}

export function shapeOf(schema: Schema & Parts): Shape {
  const { wrapped, entries, value, item } = schema;
  if (wrapped !== undefined) return shapeOf(wrapped);
  if (schema.type === "object" && entries !== undefined) return { kind: "table", entries };
  if (schema.type === "record" && value !== undefined) return { kind: "named", value };
  if (schema.type === "array" && item !== undefined) return { kind: "list", item };
  return { kind: "value" };
}

/** A table of TOML or JSON: neither a list nor a date. */
export function isTable(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
