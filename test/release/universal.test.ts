import { expect, test } from "bun:test";
import { thinned } from "../../scripts/parts/universal.ts";

const X64 = 0x01000007;
const ARM64 = 0x0100000c;

/** As lipo writes it: a header, an entry for each part, the parts. */
function universal(parts: [cpu: number, content: string][]): Buffer {
  const header = Buffer.alloc(8 + 20 * parts.length);
  header.writeUInt32BE(0xcafebabe, 0);
  header.writeUInt32BE(parts.length, 4);
  let offset = header.length;
  for (const [index, [cpu, content]] of parts.entries()) {
    header.writeUInt32BE(cpu, 8 + 20 * index);
    header.writeUInt32BE(offset, 16 + 20 * index);
    header.writeUInt32BE(content.length, 20 + 20 * index);
    offset += content.length;
  }
  return Buffer.concat([header, ...parts.map(([, content]) => Buffer.from(content))]);
}

const both = universal([
  [X64, "for Intel"],
  [ARM64, "for Apple's own"],
]);

test.each([
  ["x64", "for Intel"],
  ["arm64", "for Apple's own"],
] as const)("of a program for both processors, %s gets its own part", (cpu, content) => {
  expect(thinned(both, cpu).toString()).toBe(content);
});

test("another file stays as it is", () => {
  const text = Buffer.from("# postgresql.conf");

  expect(thinned(text, "x64")).toBe(text);
});

test("a program that has no part for the processor is refused", () => {
  expect(() => thinned(universal([[X64, "for Intel"]]), "arm64")).toThrow(
    "Cannot take arm64 from a universal file",
  );
});
