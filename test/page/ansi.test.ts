import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  atLineEnd,
  BEGIN,
  type Piece,
  plainOf,
  readAnsi,
  stateAfter,
} from "../../src/page/ansi.ts";
import { SPECIAL } from "../../src/page/controls.ts";
import { PLAIN, type Style } from "../../src/page/sgr.ts";

const ESC = "\u001b";
const seen = (text: string) => plainOf(text, BEGIN);
const styleOf = (text: string): Partial<Style> => {
  const [piece] = readAnsi(text, BEGIN).pieces;
  return Object.fromEntries(
    Object.entries(piece?.style ?? {}).filter(([name, value]) => value !== PLAIN[name as "bold"]),
  );
};

test.each([
  ["1", { bold: true }],
  ["2;3", { dim: true, italic: true }],
  ["4", { underline: true }],
  ["4:3", { underline: true }],
  ["4;4:0", {}],
  ["7", { inverse: true }],
  ["1;22", {}],
  ["7;27", {}],
  ["31", { foreground: 1 }],
  ["97;100", { foreground: 15, background: 8 }],
  ["38;5;208", { foreground: 208 }],
  ["38:5:208", { foreground: 208 }],
  ["48;2;1;20;255", { background: "#0114ff" }],
  ["48:2:1:20:255", { background: "#0114ff" }],
  ["48:2::1:20:255", { background: "#0114ff" }],
  ["38;5;208;1", { foreground: 208, bold: true }],
  ["58;5;9;1", { bold: true }],
  ["31;39", {}],
  ["31;0", {}],
  ["31;", {}],
  ["", {}],
  ["38;5;300", {}],
  ["38;2;1;2", {}],
  ["38", {}],
  ["5;8;9;10;99", {}],
] as const)("the graphic rendition %p is the style %p", (parameters, style) => {
  expect(styleOf(`${ESC}[${parameters}mx`)).toEqual(style);
});

test.each([
  ["a link", `a${ESC}]8;;https://example.com${ESC}\\b${ESC}]8;;${ESC}\\c`, "abc"],
  ["a link that ends with a bell", `a${ESC}]8;;javascript:1\u0007b`, "ab"],
  ["a title", `${ESC}]0;title\u0007a`, "a"],
  ["the clipboard", `${ESC}]52;c;aGk=${ESC}\\a`, "a"],
  ["a device control string", `a${ESC}P1$r0m\u0007x${ESC}\\b`, "ab"],
  ["an application's command", `a${ESC}_Gf=100;AAAA${ESC}\\b`, "ab"],
  ["a private message", `a${ESC}^x${ESC}\\b`, "ab"],
  ["a start of string", `a${ESC}Xx${ESC}\\b`, "ab"],
  [
    "the same with one character",
    "a\u009d0;title\u009cb\u0090x\u009cc\u009fx\u009cd\u009b31me",
    "abcde",
  ],
  ["the cursor", `a${ESC}[2Ab${ESC}[10;20Hc${ESC}[6nd${ESC}[se`, "abcde"],
  ["the screen", `a${ESC}[2Jb${ESC}[?1049hc${ESC}cd`, "abcd"],
  ["modes and character sets", `a${ESC}[?25lb${ESC}(Bc${ESC}=d${ESC}#8e`, "abcde"],
  ["one that another one breaks off", `a${ESC}[3${ESC}[31mb`, "ab"],
  ["one that is canceled", `a${ESC}]0;t\u0018b${ESC}[3\u001ac`, "abc"],
  ["one that other text breaks off", `a${ESC}[3éb`, "aéb"],
  ["one with controls in it", `a${ESC}[3\u00001mb`, "ab"],
  ["one that is never finished", `a${ESC}]8;;x`, "a"],
  ["one with far too many parameters", `a${ESC}[${"1;".repeat(500)}mb`, "ab"],
])("%s is dropped whole", (_, text, left) => {
  expect(seen(text)).toBe(left);
});

test("only graphic renditions of the usual form are honoured", () => {
  for (const text of [`${ESC}[>4;1mx`, `${ESC}[?31mx`, `${ESC}[31 mx`, "\u009b31mx"]) {
    expect([text, styleOf(text)]).toEqual([text, {}]);
  }
});

test.each([
  ["10%\r20%\r100%", "100%"],
  ["100%\rok", "ok0%"],
  ["100%\r\u001b[Kok", "ok"],
  ["100%\u001b[2K\rok", "ok"],
  ["100%\u001b[1G\u001b[2K", "100%"],
  ["done\r", "done"],
  ["abc\b\bX", "aXc"],
  ["\b\bX", "X"],
])("%j shows what a terminal would, %j", (text, left) => {
  expect(seen(text)).toBe(left);
});

test.each([
  ["\0", "NUL"],
  ["\u0007", "BEL"],
  ["\u007f", "DEL"],
  ["\u202e", "U+202E"],
  ["\u2066", "U+2066"],
  ["\u200f", "U+200F"],
  ["\u061c", "U+061C"],
])("%j is shown by its name, %s", (char, name) => {
  const { pieces } = readAnsi(`a${char}b`, BEGIN);

  expect(pieces.map(({ text, isControl }) => [text, isControl])).toEqual([
    ["a", false],
    [name, true],
    ["b", false],
  ]);
});

test("a style lasts beyond the end of a line, a sequence does not", () => {
  const first = readAnsi(`a${ESC}[31mb${ESC}]0;never finished`, BEGIN);

  const second = readAnsi("c", atLineEnd(first.state));

  expect(second.pieces).toEqual([
    { text: "c", style: { ...PLAIN, foreground: 1 }, isControl: false },
  ]);
});

const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ESC,
        "[",
        "]",
        "m",
        "K",
        ";",
        "3",
        "1",
        "\u0007",
        "\\",
        "\r",
        "\b",
        "\0",
        "P",
      ),
      fc.constantFrom("\u009b", "\u009d", "\u202e", "\u2069", "\u0085", "\u2028", "é", "𝄞"),
      fc.string({ unit: "binary", maxLength: 5 }),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(""));

test("whatever is written, nothing that is shown is a control or turns the text round", () => {
  fc.assert(
    fc.property(hostile, (text) => {
      expect(seen(text).replaceAll("\t", "")).not.toMatch(SPECIAL);
    }),
    { numRuns: 2_000 },
  );
});

test("a line that comes in two parts looks as if it had come in one, wherever it is cut", () => {
  const looks = (pieces: readonly Piece[]) =>
    pieces.flatMap(({ text, ...look }) => [...text].map((char) => [char, look]));
  const withoutMoves = hostile.map((text) => text.replaceAll(/[\r\bK]/g, ""));
  fc.assert(
    fc.property(withoutMoves, fc.nat(60), (text, at) => {
      const cut = Math.min(at, text.length);
      const isInPair = (text.codePointAt(cut - 1) ?? 0) > 0xffff;
      const place = isInPair ? cut - 1 : cut;
      const first = readAnsi(text.slice(0, place), BEGIN);
      const second = readAnsi(text.slice(place), first.state);

      const whole = readAnsi(text, BEGIN);
      expect(looks([...first.pieces, ...second.pieces])).toEqual(looks(whole.pieces));
      expect(second.state).toEqual(whole.state);
    }),
    { numRuns: 2_000 },
  );
});

test("the shorter ways to a line's text and state lead to the same", () => {
  const graphic = fc
    .constantFrom("0", "", "1", "31", "38;5;9", "9", "1;".repeat(80))
    .map((p) => `${ESC}[${p}m`);
  const texts = fc
    .array(fc.oneof(graphic, graphic, fc.string({ maxLength: 3 }), hostile))
    .map((some) => some.join(""));
  fc.assert(
    fc.property(texts, texts, (before, text) => {
      const { state } = readAnsi(before, BEGIN);
      const { pieces, state: after } = readAnsi(text, state);
      const { mode, style } = stateAfter(text, state);

      expect(plainOf(text, state)).toBe(pieces.map((piece) => piece.text).join(""));
      expect({ mode, style }).toEqual({ mode: after.mode, style: after.style });
    }),
    { numRuns: 2_000 },
  );
});

test("text without a special character is shown as it is", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      fc.pre(!SPECIAL.test(text));
      expect(seen(text)).toBe(text);
    }),
  );
});
