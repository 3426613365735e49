import { expect, test } from "bun:test";
import fc from "fast-check";
import { LineNumbers } from "../../src/page/line-numbers.ts";

test("each line has the number that it has in the whole log, also when the first ones are gone", () => {
  const rows = fc.array(fc.oneof(fc.constant(1), fc.constant(1), fc.nat(5)), {
    minLength: 2,
    maxLength: 40,
  });
  fc.assert(
    fc.property(rows, fc.nat(), fc.nat(), (standFor, cut, again) => {
      const numbers = new LineNumbers();
      const expected: (number | null)[] = [];
      let last = 0;
      const add = (row: number, lines: number) => {
        if (lines !== 1) numbers.countAs(row, lines);
        last += lines;
        expected.push(lines === 1 ? last : null);
      };
      const told = () =>
        expected.map((_, row) => (numbers.isNumbered(row) ? numbers.of(row) : null));

      for (const [row, lines] of standFor.entries()) add(row, lines);
      expect(told()).toEqual(expected);
      for (const some of [cut, again]) {
        const gone = some % expected.length;
        numbers.drop(gone);
        expected.splice(0, gone);
        expect(told()).toEqual(expected);
        add(expected.length, 3);
        add(expected.length, 1);
        expect(told()).toEqual(expected);
      }
    }),
  );
});
