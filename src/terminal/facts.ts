import type { Colours } from "./colours.ts";

/** What is told of one thing; a fact without a value is left out. */
export type Fact = readonly [name: string, value: string | null];

/** Facts below each other, their names dim and filled up to one width. Values are shown as they are. */
export function factLines(facts: readonly Fact[], { dim }: Colours): string {
  const told = facts.filter((fact): fact is [string, string] => fact[1] !== null);
  const width = Math.max(...told.map(([name]) => name.length));
  return told.map(([name, value]) => `${dim(name.padEnd(width))}  ${value}\n`).join("");
}
