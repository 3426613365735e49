import type { Path } from "./fault.ts";
import { notesOf } from "./key.ts";
import { loadWhole } from "./load.ts";
import { ConfigSchema } from "./schema.ts";
import { isTable, type Schema, shapeOf } from "./shape.ts";
import type { Sources } from "./sources.ts";
import { tomlName, tomlOf } from "./toml-value.ts";

const HIDDEN = "***";

/**
 * What counts, as lines of TOML, each with the place that it was said in; secrets are `***`.
 *
 * @throws {ConfigError}
 */
export function shownConfig(sources: Sources): string {
  const { config, output, given } = loadWhole(sources, { whole: false });
  const values: Record<string, unknown> = { ...output, dataDir: config.dataDir };
  const names = Object.keys(ConfigSchema.entries);
  const set = names.filter((name) => values[name] !== undefined);
  const unset = names.filter((name) => values[name] === undefined);
  const lines = set.map((name) => {
    const at: Path = [name];
    const schema = ConfigSchema.entries[name as keyof typeof ConfigSchema.entries];
    const value = tomlOf(withoutSecrets(schema, values[name]));
    return `${tomlName(name)} = ${value}  # ${given.placeOf(at) ?? "default"}`;
  });
  return [...lines, `# without a value: ${unset.join(", ")}`, ""].join("\n");
}

function withoutSecrets(schema: Schema, value: unknown): unknown {
  const { secret, file } = notesOf(schema);
  if (secret && file === undefined) return value === undefined ? undefined : HIDDEN;
  const shape = shapeOf(schema);
  if (shape.kind === "list" && Array.isArray(value)) {
    return value.map((item) => withoutSecrets(shape.item, item));
  }
  if (!isTable(value)) return value;
  const entries = Object.entries(value).map(([name, item]) => {
    const inner = shape.kind === "named" ? shape.value : innerOf(shape, name);
    return [name, inner === undefined ? item : withoutSecrets(inner, item)];
  });
  return Object.fromEntries(entries);
}

function innerOf(shape: ReturnType<typeof shapeOf>, name: string): Schema | undefined {
  return shape.kind === "table" ? shape.entries[name] : undefined;
}
