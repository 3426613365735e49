import { expect, test } from "bun:test";
import { withTable } from "../../scripts/configuration-table.ts";

test("the docs' table of keys is the schema's; scripts/configuration-table.ts renews it", async () => {
  const docs = await Bun.file(new URL("../../docs/configuration.md", import.meta.url)).text();

  expect(docs).toContain("\n| `port` | `10000` | a whole number from 0 to 65535 | Port of");
  expect(withTable(docs)).toBe(docs);
});
