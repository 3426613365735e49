import { expect, test } from "bun:test";
import fc from "fast-check";
import { EvenHeights, OwnHeights } from "../../src/page/row-heights.ts";

test("sums and places are right whatever is added and changed", () => {
  const heights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 70 });
  const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 9 })), { maxLength: 20 });
  fc.assert(
    fc.property(heights, changes, heights, (first, changed, more) => {
      const own = new OwnHeights();
      const plain = [...first];
      for (const height of first) own.push(height);
      for (const [some, height] of changed) {
        const row = some % plain.length;
        own.set(row, height);
        plain[row] = height;
      }
      for (const height of more) own.push(height);
      plain.push(...more);

      let above = 0;
      for (const [row, height] of plain.entries()) {
        expect(own.above(row)).toBe(above);
        expect([own.at(above), own.at(above + height - 0.5)]).toEqual([row, row]);
        above += height;
      }
      expect(own.total).toBe(above);
      expect([own.at(-1), own.at(above + 5)]).toEqual([0, plain.length - 1]);
    }),
  );
});

test("rows of one height are where they are counted", () => {
  const even = new EvenHeights();
  even.count = 10;

  expect([even.total, even.above(7), even.at(7.9), even.at(-1), even.at(99)]).toEqual([
    10, 7, 7, 0, 9,
  ]);
});
