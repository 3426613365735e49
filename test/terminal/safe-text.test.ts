import { expect, test } from "bun:test";
import { createSafeText, safeLine } from "../../src/terminal/safe-text.ts";

const E = "\u001b";

test.each([
  ["plain text", "plain\ttext\n", "plain\ttext\n"],
  ["colours", `${E}[1;31mred${E}[38:5:4mx${E}[0m`, `${E}[1;31mred${E}[38:5:4mx${E}[0m`],
  ["a cursor that moves", `a${E}[2Ab${E}[Hc${E}[2Jd`, "abcd"],
  ["a title, ended by BEL or ST", `a${E}]0;evil\u0007b${E}]2;evil${E}\\c`, "abc"],
  ["a link and the clipboard", `${E}]8;;http://x${E}\\a${E}]52;c;ZXZpbA==\u0007b`, "ab"],
  ["device strings", `a${E}Pevil${E}\\b${E}_evil${E}\\c`, "abc"],
  ["what has the terminal answer", `a${E}[6nb${E}[cc${E}Zd`, "abcd"],
  ["introducers of one character", "a\u009b31mb\u009d0;evil\u009cc", "abc"],
  ["a charset", `a${E}(0b`, "ab"],
  ["what is never finished, to the end of its line", `a${E}]0;evil\nb`, "a\nb"],
  ["what returns to the line's beginning", "real\rfake\n", "real\nfake\n"],
  ["ends of lines of two characters", "a\r\nb\r\n", "a\nb\n"],
  [
    "what deletes, rings and is nothing",
    "a\bb\u0007c\u0000d\u007f",
    "a\u2408b\u2407c\u2400d\u2421",
  ],
  ["what turns the direction", "a\u202eb", "a<U+202E>b"],
  ["private parameters", `${E}[?25la${E}[>4;2mb`, "ab"],
])("%s", (_, text, shown) => {
  expect(createSafeText()(text)).toBe(shown);
  const byCharacters = createSafeText();
  expect([...text].map(byCharacters).join("")).toBe(shown);
});

test("a line of others has no control at all", () => {
  expect(safeLine(`a\r\nb${E}[31mc\u202ed`)).toBe("a b [31mc<U+202E>d");
});
