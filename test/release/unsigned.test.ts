import { expect, test } from "bun:test";
import { withoutSignature } from "../../scripts/parts/unsigned.ts";

const UUID = 0x1b;

/** A program with a segment, a signature and one command more, and ten bytes of each content. */
function signed(behind = 0): Buffer {
  const [segment, signature, uuid] = [Buffer.alloc(72), Buffer.alloc(16), Buffer.alloc(24, 7)];
  const start = 32 + 72 + 16 + 24 + 10;
  segment.writeUInt32LE(0x19, 0);
  segment.writeUInt32LE(segment.length, 4);
  segment.write("__LINKEDIT", 8);
  segment.writeBigUInt64LE(BigInt(start - 10), 40);
  segment.writeBigUInt64LE(20n, 48);
  for (const [index, word] of [0x1d, 16, start, 10].entries())
    signature.writeUInt32LE(word, index * 4);
  uuid.writeUInt32LE(UUID, 0);
  uuid.writeUInt32LE(uuid.length, 4);
  const header = Buffer.alloc(32);
  header.writeUInt32LE(0xfeedfacf, 0);
  header.writeUInt32LE(3, 16);
  header.writeUInt32LE(72 + 16 + 24, 20);
  return Buffer.concat([
    header,
    segment,
    signature,
    uuid,
    Buffer.from("tttttttttt"),
    Buffer.alloc(10 + behind, "s"),
  ]);
}

test("a program loses its signature, and what tells of it", () => {
  const unsigned = withoutSignature(signed());

  expect(unsigned.toString().endsWith("tttttttttt")).toBe(true);
  expect([unsigned.readUInt32LE(16), unsigned.readUInt32LE(20)]).toEqual([2, 96]);
  expect(unsigned.readBigUInt64LE(32 + 48)).toBe(10n);
  // The command behind it has moved up.
  expect(unsigned.readUInt32LE(32 + 72)).toBe(UUID);
  expect(withoutSignature(unsigned)).toEqual(unsigned);
});

test("one with something behind its signature is refused", () => {
  expect(() => withoutSignature(signed(1))).toThrow("Cannot unsign: the signature ends at");
});
