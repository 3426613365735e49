import { isTable } from "./shape.ts";

/** A value in one line of TOML. */
export function tomlOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(tomlOf).join(", ")}]`;
  if (!isTable(value)) return typeof value === "string" ? quoted(value) : String(value);
  const pairs = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .map(([name, item]) => `${tomlName(name)} = ${tomlOf(item)}`);
  return pairs.length === 0 ? "{}" : `{ ${pairs.join(", ")} }`;
}

export const tomlName = (name: string) => (/^[\w-]+$/.test(name) ? name : quoted(name));

// JSON leaves this one as it is, and TOML does not take it.
const quoted = (text: string) => JSON.stringify(text).replaceAll("\x7f", "\\u007f");
