import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  type Colours,
  coloursOf,
  contrast,
  DARK,
  type Face,
  LIGHT,
} from "../../src/page/colours.ts";
import { type Colour, hexOf, PLAIN } from "../../src/page/sgr.ts";

const FACES: [string, Face][] = [
  ["light", LIGHT],
  ["dark", DARK],
];
const byte = fc.integer({ min: 0, max: 255 });
const colour: fc.Arbitrary<Colour> = fc.oneof(
  fc.constant(null),
  byte,
  fc.tuple(byte, byte, byte).map(hexOf),
);
const contrastOf = ({ foreground, background }: Colours, face: Face) =>
  contrast(foreground ?? face.ink, background ?? face.paper);

test.each(FACES)("any colours of a program can be read in the %s face (WCAG AA)", (_, face) => {
  const style = fc.record({
    foreground: colour,
    background: colour,
    dim: fc.boolean(),
    inverse: fc.boolean(),
  });
  fc.assert(
    fc.property(style, (some) => {
      const contrastThere = contrastOf(coloursOf({ ...PLAIN, ...some }, face), face);
      expect(contrastThere).toBeGreaterThanOrEqual(4.5);
    }),
    { numRuns: 2_000 },
  );
});

test.each(FACES)("the 16 colours of the %s face are shown as they are", (_, face) => {
  const shown = face.palette.map(
    (__, foreground) => coloursOf({ ...PLAIN, foreground }, face).foreground,
  );

  expect(shown).toEqual([...face.palette]);
});

test("text without colours has those of the page", () => {
  expect(coloursOf(PLAIN, LIGHT)).toEqual({ foreground: null, background: null });
});

test.each([
  [16, "#000000"],
  [196, "#ff0000"],
  [231, "#ffffff"],
  [232, "#080808"],
  [255, "#eeeeee"],
] as const)("colour %i of 256 is %s", (background, hex) => {
  expect(coloursOf({ ...PLAIN, background }, LIGHT).background).toBe(hex);
});
