import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Piece } from "../../src/page/ansi.ts";
import { Matches } from "../../src/page/matches.ts";
import { segmentsOf } from "../../src/page/segments.ts";
import { PLAIN } from "../../src/page/sgr.ts";

const listOf = (texts: string[]) => ({
  get count() {
    return texts.length;
  },
  plain: (row: number) => texts[row] ?? "",
});
const never = () => false;

test("all matches are found, in their order, in large and small letters", () => {
  const matches = new Matches("ab");
  const texts = ["xabab", "", "AB", "a", "cAb"];

  expect(matches.search(listOf(texts), never)).toBe(true);

  expect(matches.total).toBe(4);
  expect([0, 1, 2, 3].map((index) => matches.nth(index))).toEqual([
    { row: 0, inRow: 0 },
    { row: 0, inRow: 1 },
    { row: 2, inRow: 0 },
    { row: 4, inRow: 0 },
  ]);
  expect([0, 1, 2, 3, 4, 5].map((row) => matches.indexFrom(row))).toEqual([0, 2, 2, 3, 3, 0]);
});

test("characters that mean something elsewhere are looked for as they are", () => {
  const specials = fc.string({ unit: fc.constantFrom(..."\\^$.*+?()[]{}|/-&a"), minLength: 1 });
  fc.assert(
    fc.property(specials, (text) => {
      const matches = new Matches(text);
      matches.search(listOf([`<${text}>`, "b"]), never);
      expect(matches.nth(0).row).toBe(0);
      expect(matches.ranges(`é${text}`)[0]).toEqual({ begin: 1, end: 1 + text.length });
    }),
  );
});

test("a search goes on where its time was up, and behind rows that have changed", () => {
  const texts = Array.from({ length: 1_000 }, (_, row) => `row ${row}`);
  const matches = new Matches("row");
  const list = listOf(texts);

  let rounds = 0;
  while (!matches.search(list, () => true)) rounds++;
  texts[999] = "none";
  texts.push("row row");
  matches.forgetFrom(999);
  matches.search(list, never);

  expect(rounds).toBeGreaterThan(1);
  expect([matches.total, matches.searched, matches.lastRow]).toEqual([1_001, 1_001, 1_000]);
});

test("pieces are parted where matches begin and end, and nothing of them is lost", () => {
  const pieces = (texts: string[]): Piece[] =>
    texts.map((text) => ({ text, style: { ...PLAIN }, isControl: false }));
  const texts = fc.array(fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1 }));
  fc.assert(
    fc.property(texts, (some) => {
      const whole = some.join("");
      const ranges = new Matches("ab").ranges(whole);
      const segments = segmentsOf(pieces(some), ranges);

      expect(segments.map(({ text }) => text).join("")).toBe(whole);
      const marked = ranges.map((_, match) =>
        segments
          .filter((segment) => segment.match === match)
          .map(({ text }) => text)
          .join(""),
      );
      expect(marked).toEqual(ranges.map(() => "ab"));
    }),
  );
});
