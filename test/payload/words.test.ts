import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import * as fc from "fast-check";
import { joinWords, splitWords } from "../../src/payload/words.ts";

test.each<[string, string[]]>([
  ["ls -lah", ["ls", "-lah"]],
  ["  ls \t -lah \n", ["ls", "-lah"]],
  ["", []],
  [" \t\n", []],
  ["\\\n", []],
  ["''", [""]],
  [`a '' ""`, ["a", "", ""]],
  ["a''b", ["ab"]],
  [`'a b'"c d"e\\ f`, ["a bc de f"]],
  [`'a\\'`, ["a\\"]],
  [`"a \\"quoted\\" b"`, ['a "quoted" b']],
  [`sh -c "echo \\$HOME"`, ["sh", "-c", "echo $HOME"]],
  [`"\\a\\\`"`, ["\\a`"]],
  [`"a\\\nb" c\\\nd`, ["ab", "cd"]],
  ["'a\nb'", ["a\nb"]],
  ["echo $HOME * # ; | & > x", ["echo", "$HOME", "*", "#", ";", "|", "&", ">", "x"]],
  ["$'a'", ["$a"]],
  ["a\u00a0b", ["a\u00a0b"]],
])("%j is split into %j", (text, words) => {
  expect(splitWords(text)).toEqual(words);
});

test.each([["'a"], ['"a'], ["a'b'\""], ["a\\"], ['"a\\"']])("%j is not closed", (text) => {
  expect(splitWords(text)).toBeNull();
});

test("a line of 1,000,000 characters is split in good time", () => {
  const text = `"${'\\"a'.repeat(300_000)}" ${"b ".repeat(50_000)}`;

  expect(splitWords(text)).toHaveLength(50_001);
});

test("any line is split as sh splits it", () => {
  const characters = fc.constantFrom("a", "b", " ", "\t", "'", '"', "\\", "-", "é");
  const line = fc.array(characters, { maxLength: 30 }).map((parts) => parts.join(""));

  fc.assert(
    fc.property(line, (text) => {
      const words = splitWords(text);
      fc.pre(words !== null);
      const script = `set -- ${text}\nfor word; do printf '%s\\0' "$word"; done`;
      const { stdout } = spawnSync("/bin/sh", ["-c", script], { encoding: "utf8" });
      expect(words).toEqual(stdout.split("\0").slice(0, -1));
    }),
    { numRuns: 200 },
  );
});

test("any words are joined to a line that is split into them again", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" })), (words) => {
      expect(splitWords(joinWords(words))).toEqual(words);
    }),
  );
});
