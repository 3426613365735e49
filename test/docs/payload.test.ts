import { expect, test } from "bun:test";
import { withTable } from "../../scripts/payload-table.ts";

test("the docs' table of the payload is the schema's; scripts/payload-table.ts renews it", async () => {
  const docs = await Bun.file(new URL("../../docs/payload.md", import.meta.url)).text();

  expect(docs).toContain("\n| `retries` | integer, 0 to 100 | More executions after one");
  expect(await withTable(docs)).toBe(docs);
});
