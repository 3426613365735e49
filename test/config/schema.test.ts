import { expect, test } from "bun:test";
import * as v from "valibot";
import { ConfigSchema } from "../../src/config/schema.ts";
import { type Schema, shapeOf } from "../../src/config/shape.ts";

/** Every key of a table and of the tables in it, by its path. */
function keysOf(schema: Schema, prefix = ""): [string, Schema][] {
  const shape = shapeOf(schema);
  if (shape.kind === "list") return keysOf(shape.item, `${prefix}*.`);
  if (shape.kind === "named") return keysOf(shape.value, `${prefix}NAME.`);
  if (shape.kind === "value") return [];
  return Object.entries(shape.entries).flatMap(([name, entry]) => [
    [`${prefix}${name}`, entry] as [string, Schema],
    ...keysOf(entry, `${prefix}${name}.`),
  ]);
}

const KEYS = keysOf(ConfigSchema);

test("tables within lists and tables are looked into", () => {
  const names = KEYS.map(([name]) => name);

  expect(names).toContain("port");
  expect(names).toContain("retention.logsDays");
  expect(names).toContain("dockerHosts.*.allow.networks");
  expect(names).toContain("registries.NAME.username");
});

test.each(KEYS)("%s has a sentence of what it means", (_, schema) => {
  const description = v.getDescription(schema) ?? "";

  expect(description).toMatch(/^["`\p{Lu}]/u);
  expect(description).not.toMatch(/[.\n]$/);
});
